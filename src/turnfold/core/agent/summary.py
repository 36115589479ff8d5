"""What stands for the beginning of a long conversation, or for what an agent is not told of."""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.conversation.log import Log
from turnfold.core.conversation.messages import AssistantMessage, Message, UserMessage
from turnfold.core.llm.chat_request import said_text

ASKED = "What has been said and done so far?"
SUMMARY = "Summary of the conversation so far:"
GO_ON = "Go on."


@final
@frozen(kw_only=True)
class Summary:
    """What models are told in place of the log before ``upto``, the messages at ``pinned`` (indexes, rising) apart.

    ``messages`` are told just as they are, where there are some; else ``text`` is.
    """

    upto: int
    text: str
    pinned: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()


def told_instead(summary: Summary, log: Log[Message]) -> tuple[Message, ...]:
    """The messages that stand for the beginning of ``log``: those that ``summary`` names, else two of its text.

    >>> told_instead(Summary(upto=1, text="They said hi."), Log.of(UserMessage("hi")))[1].text
    'Summary of the conversation so far:\\n\\nThey said hi.'
    """
    if summary.messages:
        return summary.messages
    pinned = (log[index] for index in summary.pinned if 0 <= index < len(log))
    said = "\n\n".join(said_text(message) for message in pinned if isinstance(message, UserMessage))
    summed: tuple[Message, ...] = (UserMessage(said or ASKED), AssistantMessage(text=f"{SUMMARY}\n\n{summary.text}", place=""))
    in_turn = 0 <= summary.upto < len(log) and isinstance(log[summary.upto], AssistantMessage)
    return (*summed, UserMessage(GO_ON)) if in_turn else summed


def told_now(summary: Summary | None, log: Log[Message]) -> tuple[Message, ...]:
    """All messages that models are told of now; linear in them."""
    if summary is None:
        return tuple(log)
    return (*told_instead(summary, log), *log.since(max(summary.upto, 0)))
