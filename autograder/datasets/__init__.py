"""Find the data sets that assignments train on, and read them into plain tensors."""
