"""Write reports in the formats of others: one module for each, pure functions from reports to text."""
