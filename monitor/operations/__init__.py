"""What happened around the models: deployments, runs, costs, capacity, read from the events in the store."""
