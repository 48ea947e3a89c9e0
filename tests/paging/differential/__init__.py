"""The pager beside a real Alertmanager: the same configuration and the same events, and the same messages."""
