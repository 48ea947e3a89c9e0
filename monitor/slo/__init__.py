"""Objectives, error budgets, burn rates and the alerts that stand on them."""
