"""Baselines fitted from files and from the stored stream: bins, counts, contracts, and what differs."""
