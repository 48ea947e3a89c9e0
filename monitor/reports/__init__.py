"""Pages for people to read, made from what the store holds."""
