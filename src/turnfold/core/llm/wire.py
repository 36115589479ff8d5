"""The wire formats side by side: one interface over all, for whoever calls a model whatever it speaks.

A format is a :class:`ModelProtocol` in a module of its own. :func:`begin` and :func:`encoder` choose it by the provider's ``wire``;
a fold knows by its class which format it reads. Chat Completions comes first wherever a chunk passes, since most of them are its.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from turnfold.core.config.values import Wire
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.chat_reply import ChatFold
from turnfold.core.llm.protocol import Decoded, Encoder
from turnfold.core.llm.reply import CallSoFar, Reply

ReplyFold: TypeAlias = ChatFold


def begin(wire: Wire) -> ReplyFold:
    """The fold of a reply in ``wire`` of which nothing has come."""
    match wire:
        case Wire.CHAT | Wire.RESPONSES | Wire.MESSAGES | Wire.GEMINI:
            return CHAT.begin()
        case _:
            assert_never(wire)


def decode(fold: ReplyFold, chunk: bytes) -> Decoded[ReplyFold]:
    r"""The fold after ``chunk``, with the text and reasoning it added; linear in the chunk, whatever came before.

    >>> decode(begin(Wire.CHAT), b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n').text
    'Hi'
    """
    match fold:
        case ChatFold():
            return CHAT.decode(fold, chunk)
        case _:
            assert_never(fold)


def finish(fold: ReplyFold) -> Reply:
    """The reply that the chunks make; what is wrong with it is its ``problem``."""
    match fold:
        case ChatFold():
            return CHAT.finish(fold)
        case _:
            assert_never(fold)


def calls_so_far(fold: ReplyFold) -> tuple[CallSoFar, ...]:
    """The native calls that the chunks have begun, in order."""
    match fold:
        case ChatFold():
            return CHAT.calls_so_far(fold)
        case _:
            assert_never(fold)


def encoder(wire: Wire) -> Encoder:
    """How requests are written in ``wire``.

    >>> encoder(Wire.CHAT) is CHAT.encoder
    True
    """
    match wire:
        case Wire.CHAT | Wire.RESPONSES | Wire.MESSAGES | Wire.GEMINI:
            return CHAT.encoder
        case _:
            assert_never(wire)
