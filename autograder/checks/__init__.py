"""Run the checks of an assignment over one submission: pytest plugin, fixtures, student proxy, comparison."""
