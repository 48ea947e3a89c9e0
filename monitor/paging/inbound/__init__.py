"""What other systems send when something fires, made into alerts: one module for each format."""
