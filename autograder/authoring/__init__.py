"""Make, build, validate, calibrate and export assignments."""
