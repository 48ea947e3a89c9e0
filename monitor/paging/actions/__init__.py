"""What is done about an alert besides telling people: to retrain, to roll back; each with its guards."""
