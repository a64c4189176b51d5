"""Release, fetch, submit, collect and return assignments through nbgrader's exchange."""
