"""A bash script as a value: every command that it may run, every file that it redirects, and why it can't be read where it can't."""
