"""The command line: one module for each group of commands, which parses, calls one function and prints."""
