"""Write reports in the formats of other systems: pure functions from reports to text."""
