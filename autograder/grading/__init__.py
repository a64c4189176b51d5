"""Grade many submissions: jobs, executors, the store of reports, the quota."""
