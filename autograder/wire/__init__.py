"""What may cross the boundary between grader and worker."""
