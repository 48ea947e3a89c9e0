"""Links that acknowledge."""
