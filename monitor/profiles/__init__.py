"""From columns to counts: bins, profiles that add, event-time windows and the watermark."""
