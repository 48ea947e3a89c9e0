"""Links that acknowledge an incident: signed, for one use, until they expire."""
