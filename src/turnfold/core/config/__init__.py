"""Settings as values: three layers, and what they hold."""
