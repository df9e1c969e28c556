"""A stack made ready for Pulumi: its environment, its runs and their locks, the program, saved plans, its account."""
