"""The commands, grouped by what they are about: each parses, calls one function, prints."""
