"""Commands: what a person can have done besides talking; ``table`` lists them, and docs/commands.md says what they do."""
