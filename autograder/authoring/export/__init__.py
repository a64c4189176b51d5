"""Write what leaves the instructor's repository: a students' course, a Gradescope bundle, a wheel."""
