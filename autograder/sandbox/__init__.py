"""The grader's side of the boundary: start workers, watch them, limit them, kill them."""
