"""What is to be told, until it is: one message at a time for each slot, and none of them lost."""
