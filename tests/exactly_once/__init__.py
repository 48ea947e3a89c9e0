"""Proof that every record is counted exactly once, whatever crashes, wakes up late, or is full."""
