"""Why a reply of Anthropic Messages ended, and the tokens that it took."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.llm.intake import Object, number
from turnfold.core.llm.reply import Stop
from turnfold.core.world.usage import Usage

STOPS: tuple[tuple[str, Stop], ...] = (
    ("end_turn", Stop.END),
    ("stop_sequence", Stop.END),
    ("tool_use", Stop.CALLS),
    ("max_tokens", Stop.LENGTH),
    ("model_context_window_exceeded", Stop.LENGTH),
    ("pause_turn", Stop.LENGTH),  # the provider's own tools took too many rounds: as with a token limit, it can be asked to go on
    ("refusal", Stop.REFUSED),
)  # any other reason is an end


def stop_of(reason: str) -> Stop:
    """What a ``stop_reason`` means.

    >>> stop_of("max_tokens")
    <Stop.LENGTH: 'length'>
    """
    return next((stop for name, stop in STOPS if name == reason), Stop.END)


@final
@frozen(kw_only=True)
class Tokens:
    """What has been told of them so far; later numbers take the place of earlier ones, since they are sums."""

    fresh: int = 0  # read, neither from the cache nor into it
    cached: int = 0
    written: int = 0  # read, and put into the cache
    output: int = 0
    reasoning: int = 0


NO_TOKENS: Tokens = Tokens()


def counted(before: Tokens, usage: Object) -> Tokens:
    """The tokens after an event's ``usage``, as JSON parsing gave it; what it does not name stays as it was told before."""
    details: object = usage.get("output_tokens_details")
    return Tokens(
        fresh=number(usage, "input_tokens") or before.fresh,
        cached=number(usage, "cache_read_input_tokens") or before.cached,
        written=number(usage, "cache_creation_input_tokens") or before.written,
        output=number(usage, "output_tokens") or before.output,
        reasoning=(number(details, "thinking_tokens") if isinstance(details, dict) else 0) or before.reasoning,
    )


def usage_of(tokens: Tokens) -> Usage:
    """What all formats tell: everything that was read is input, from the cache or into it, too.

    >>> usage_of(Tokens(fresh=1, cached=2, written=3)).input_tokens
    6
    """
    return Usage(
        input_tokens=tokens.fresh + tokens.cached + tokens.written,
        output_tokens=tokens.output,
        cached_tokens=tokens.cached,
        cache_write_tokens=tokens.written,
        reasoning_tokens=tokens.reasoning,
    )
