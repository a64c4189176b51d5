"""Measure a submission: speed, memory, and the clocks and limits of the machine."""
