"""Read the files that a student handed in; never run them."""
