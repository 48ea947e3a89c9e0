"""Incidents: one for each trouble, with everything that happened in it."""
