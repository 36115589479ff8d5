"""Conventions that matter, as failing tests."""
