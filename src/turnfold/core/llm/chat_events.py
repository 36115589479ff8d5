"""What one event of a stream of Chat Completions holds, as JSON parsing gives it: read here, and never kept."""

from __future__ import annotations

from turnfold.core.llm.intake import Object


def plain_delta(value: Object) -> Object | None:
    """The delta of an event that says nothing else; None for any other."""
    choices = value.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or value.get("usage") or value.get("error"):
        return None
    choice: object = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") or choice.get("index"):
        return None
    delta: object = choice.get("delta")
    return delta if isinstance(delta, dict) else None
