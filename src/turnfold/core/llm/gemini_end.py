"""Why a reply of Gemini ended, and the tokens that it took."""

from __future__ import annotations

from turnfold.core.llm.intake import Object, number
from turnfold.core.llm.reply import Stop
from turnfold.core.world.usage import Usage

STOPS: tuple[tuple[str, Stop], ...] = (
    ("STOP", Stop.END),
    ("MAX_TOKENS", Stop.LENGTH),
    ("SAFETY", Stop.FILTER),
    ("RECITATION", Stop.FILTER),
    ("LANGUAGE", Stop.FILTER),
    ("BLOCKLIST", Stop.FILTER),
    ("PROHIBITED_CONTENT", Stop.FILTER),
    ("SPII", Stop.FILTER),
    ("MODEL_ARMOR", Stop.FILTER),
    ("IMAGE_SAFETY", Stop.FILTER),
    ("IMAGE_PROHIBITED_CONTENT", Stop.FILTER),
    ("IMAGE_RECITATION", Stop.FILTER),
    ("OTHER", Stop.CUT),  # "unknown reason"
    ("IMAGE_OTHER", Stop.CUT),
    ("MALFORMED_FUNCTION_CALL", Stop.CUT),
    ("MALFORMED_RESPONSE", Stop.CUT),
    ("UNEXPECTED_TOOL_CALL", Stop.CUT),
    ("TOO_MANY_TOOL_CALLS", Stop.CUT),
    ("MISSING_THOUGHT_SIGNATURE", Stop.CUT),
)  # any other reason is an end
UNREADABLE = ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")  # what the model wrote


def stop_of(reason: str) -> Stop:
    """What a ``finishReason`` means.

    >>> stop_of("MAX_TOKENS")
    <Stop.LENGTH: 'length'>
    """
    return next((stop for name, stop in STOPS if name == reason), Stop.END)


def counted(value: Object, before: Usage) -> Usage:
    """The tokens so far: what is told now takes the place of what was told before, since they are sums.

    What a tool of the provider's brought is read besides the prompt, and thoughts are written besides the candidates.

    >>> counted({"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 4}, Usage()).output_tokens
    6
    """
    read = number(value, "promptTokenCount") + number(value, "toolUsePromptTokenCount")
    thoughts = number(value, "thoughtsTokenCount") or before.reasoning_tokens
    written = number(value, "candidatesTokenCount") or before.output_tokens - before.reasoning_tokens
    return Usage(
        input_tokens=read or before.input_tokens,
        output_tokens=written + thoughts,
        cached_tokens=number(value, "cachedContentTokenCount") or before.cached_tokens,
        reasoning_tokens=thoughts,
    )
