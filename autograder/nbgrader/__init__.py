"""Run a course through nbgrader: its exchange, its gradebook, its notebooks, with our grading in place of a kernel."""
