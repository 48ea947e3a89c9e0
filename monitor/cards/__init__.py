"""What there is to know of a model on one page, and what is missing from it."""
