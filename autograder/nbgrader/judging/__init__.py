"""Judge inside nbgrader's own autograde step."""
