"""Traces: what happened in a conversation, when, and what came of it, as a tree that is a fold of the journal."""
