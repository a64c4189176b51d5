"""What runs in the sandbox: the forkserver, its workers, and how they lock themselves in.

Nothing in this package knows a check, an oracle, a clock or a report.
"""
