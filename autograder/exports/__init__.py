"""What leaves the instructor's repository: the students' one, a bundle for Gradescope, the engine as a wheel."""
