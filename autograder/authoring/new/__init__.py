"""Make a new assignment from an example that is complete."""
