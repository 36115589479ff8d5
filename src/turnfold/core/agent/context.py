"""How full a model's window is: estimated from the provider's own figures, with no tokenizer and no network.

The last reply's usage says how many tokens its request was, and the journal how many bytes: what a request costs before
it is sent follows from its bytes. Until a provider has counted, four bytes are taken for a token.
"""

from __future__ import annotations

import math
from typing import final

from attrs import frozen

from turnfold.core.config.values import ModelProfile

BYTES_PER_TOKEN = 4.0  # OpenAI, "What are tokens and how to count them?": "1 token ~= 4 chars in English"
LEAST = 1.0  # bytes a token: no tokenizer makes more tokens than bytes
MOST = 8.0  # a figure beyond it counts something else, as some servers do with what they had in their cache


@final
@frozen(kw_only=True)
class Measured:
    """How many tokens a provider counted in a request of so many bytes; zeros where none has counted yet."""

    size_bytes: int = 0
    tokens: int = 0


NOT_MEASURED: Measured = Measured()


def bytes_per_token(measured: Measured) -> float:
    """How many bytes of a request make a token.

    >>> bytes_per_token(Measured()), bytes_per_token(Measured(size_bytes=900, tokens=300))
    (4.0, 3.0)
    """
    if measured.size_bytes < 1 or measured.tokens < 1:
        return BYTES_PER_TOKEN
    return min(max(measured.size_bytes / measured.tokens, LEAST), MOST)


def estimated_tokens(size_bytes: int, measured: Measured) -> int:
    """How many tokens a request of ``size_bytes`` will have.

    >>> estimated_tokens(1000, Measured())
    250
    """
    return math.ceil(size_bytes / bytes_per_token(measured))


def room_tokens(profile: ModelProfile, max_tokens: int | None) -> int | None:
    """How many tokens a request may have, so that its reply of up to ``max_tokens`` fits into the model's window; None where that isn't known.

    Without ``max_tokens`` the longest reply that the model can give has to fit; a reply never takes more than half of the window,
    or models that could fill it whole would be left no room to be asked anything.

    >>> room_tokens(ModelProfile(pattern="*", window_tokens=10_000, output_tokens=2_000), None)
    8000
    """
    window = profile.window_tokens
    if window is None:
        return None
    said = (max_tokens, profile.max_tokens, profile.output_tokens)
    reply = next((each for each in said if each is not None), 0)
    return window - min(reply, window // 2)
