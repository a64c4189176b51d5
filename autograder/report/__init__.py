"""What was found about a submission: the report, its measures, and how people read it."""
