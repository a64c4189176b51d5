"""Write reports as pages: one for each student, and one of the class for the instructor."""
