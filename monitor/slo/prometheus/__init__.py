"""Prometheus rules for objectives and watches, and promtool's tests of them."""
