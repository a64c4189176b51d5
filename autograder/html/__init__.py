"""Write reports as pages that people look at: one for each student, and one for the instructor over a whole class."""
