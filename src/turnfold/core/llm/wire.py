"""The wire formats side by side: one interface over all, for whoever calls a model whatever it speaks.

A format is a :class:`ModelProtocol` in a module of its own. :func:`begin` and :func:`encoder` choose it by the provider's ``wire``;
a fold knows by its class which format it reads. Chat Completions comes first wherever a chunk passes, since most of them are its.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from turnfold.core.config.values import Wire
from turnfold.core.llm.chat import CHAT
from turnfold.core.llm.chat_reply import ChatFold
from turnfold.core.llm.gemini import GEMINI
from turnfold.core.llm.gemini_reply import GeminiFold
from turnfold.core.llm.messages import MESSAGES
from turnfold.core.llm.messages_reply import MessagesFold
from turnfold.core.llm.protocol import Decoded, Encoder
from turnfold.core.llm.reply import CallSoFar, Reply
from turnfold.core.llm.responses import RESPONSES
from turnfold.core.llm.responses_reply import ResponsesFold

ReplyFold: TypeAlias = ChatFold | ResponsesFold | MessagesFold | GeminiFold


def begin(wire: Wire) -> ReplyFold:
    """The fold of a reply in ``wire`` of which nothing has come."""
    match wire:
        case Wire.CHAT:
            return CHAT.begin()
        case Wire.RESPONSES:
            return RESPONSES.begin()
        case Wire.MESSAGES:
            return MESSAGES.begin()
        case Wire.GEMINI:
            return GEMINI.begin()
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
        case ResponsesFold():
            return RESPONSES.decode(fold, chunk)
        case MessagesFold():
            return MESSAGES.decode(fold, chunk)
        case GeminiFold():
            return GEMINI.decode(fold, chunk)
        case _:
            assert_never(fold)


def finish(fold: ReplyFold) -> Reply:
    """The reply that the chunks make; what is wrong with it is its ``problem``."""
    match fold:
        case ChatFold():
            return CHAT.finish(fold)
        case ResponsesFold():
            return RESPONSES.finish(fold)
        case MessagesFold():
            return MESSAGES.finish(fold)
        case GeminiFold():
            return GEMINI.finish(fold)
        case _:
            assert_never(fold)


def calls_so_far(fold: ReplyFold) -> tuple[CallSoFar, ...]:
    """The native calls that the chunks have begun, in order."""
    match fold:
        case ChatFold():
            return CHAT.calls_so_far(fold)
        case ResponsesFold():
            return RESPONSES.calls_so_far(fold)
        case MessagesFold():
            return MESSAGES.calls_so_far(fold)
        case GeminiFold():
            return GEMINI.calls_so_far(fold)
        case _:
            assert_never(fold)


def encoder(wire: Wire) -> Encoder:
    """How requests are written in ``wire``.

    >>> encoder(Wire.CHAT) is CHAT.encoder
    True
    """
    match wire:
        case Wire.CHAT:
            return CHAT.encoder
        case Wire.RESPONSES:
            return RESPONSES.encoder
        case Wire.MESSAGES:
            return MESSAGES.encoder
        case Wire.GEMINI:
            return GEMINI.encoder
        case _:
            assert_never(wire)
