"""Traces on their way out of a run: spans as they end, to the receivers that its config names, by threads of the run's own."""
