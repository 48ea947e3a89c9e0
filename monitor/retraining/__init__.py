"""When to ask that a model is trained anew, and what becomes of it."""
