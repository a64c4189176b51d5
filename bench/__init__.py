"""Benchmarks: each measures the autograder against a named baseline in the same run and prints the ratio."""
