"""The demo: real logs, replayed as if they were written now."""
