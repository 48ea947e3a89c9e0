"""What alert rules would have done over a stored history, or over a raw log."""
