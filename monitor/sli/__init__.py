"""Indicators: pure functions of profiles, by the names that the CLI, the API and the rules use."""
