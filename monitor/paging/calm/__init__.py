"""What makes messages fewer: page budgets, digests, and silences that say when they are about to end."""
