"""A made-up class, and a script that grades it."""
