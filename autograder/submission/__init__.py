"""Read the files that a student submitted; never run them."""
