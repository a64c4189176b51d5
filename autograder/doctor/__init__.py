"""Find out whether this machine can isolate submissions and time them."""
