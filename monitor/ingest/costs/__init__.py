"""Exports of costs: FOCUS and Azure Cost Management files, as `cost` events."""
