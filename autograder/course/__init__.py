"""Read course.yml and everything that it names."""
