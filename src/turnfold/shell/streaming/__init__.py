"""Runs that can be read while they go on, by anyone, from anywhere in them."""
