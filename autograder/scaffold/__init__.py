"""Make a new assignment from the example in `example/`, which is complete: its kept submissions get their marks."""
