"""What an agent is told of a conversation that is handed to it: words only, so that every model behind every wire takes them.

Whatever the way, the agent is told messages in which the person and the model take turns, the person first; calls and outputs of tools are
left out, or are words in them, and what was only thought is nowhere. So no call is parted from its output, none is of a tool that the agent does not know, and nothing is there
that only another provider can read. Behind them stand the words by which the conversation was handed over. They are recorded
(``HandedOff``), so that a fold needs neither the settings nor the program that made them, and every later request begins with them.

A program's function may do anything: what it gives is made to hold to that, and where it raises, the agent is told no more than the
person's last words, since what the function was there to leave out must not be told by its failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never, final

from attrs import evolve, frozen

from turnfold.core.agent.compaction import told_text, written_text
from turnfold.core.config.agents import History
from turnfold.core.config.values import ToolFormat
from turnfold.core.conversation.messages import AssistantMessage, Message, ToolMessage, UserMessage
from turnfold.core.llm.chat_request import output_text
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.extension import Retells

BEFORE = "What has been said and done so far:"
NOTHING = "(Nothing was said before.)"


@final
@frozen
class Retold:
    """What an agent is told in place of what was said (None: nothing else), and what was wrong with the function that says it."""

    told: tuple[Message, ...] | None
    problem: Problem | None = None


def retold(
    messages: tuple[Message, ...], history: History, retells: Retells | None, tool_format: ToolFormat, *, calls: bool = True
) -> Retold:
    """What the agent is told of ``messages``, as ``retells`` has it, or, where there is none, as ``history`` names; linear in them.

    ``calls``: whether it has tools. Some providers refuse a history with calls in a request without tools: it is told in words then.

    >>> said = (UserMessage("Sort it."), AssistantMessage(text="", place="1.1"), UserMessage("Well?"))
    >>> retold(said, History.FILTERED, None, ToolFormat.NATIVE).told
    (UserMessage(text='Sort it.\\n\\nWell?', context='', lessons=(), pinned=False, urged=False),)
    """
    if retells is not None:
        return _as_it_says(messages, retells, tool_format)
    match history:
        case History.ALL:
            return Retold(None if calls else sound(_as_words(messages, tool_format)))
        case History.FILTERED:
            return Retold(sound(_filtered(messages)))
        case History.NESTED:
            return Retold((UserMessage("\n\n".join((BEFORE, *(told_text(message, tool_format, None) for message in messages)))),))
        case _:
            assert_never(history)


def _as_it_says(messages: tuple[Message, ...], retells: Retells, tool_format: ToolFormat) -> Retold:
    """What the function makes of ``messages``."""
    try:
        said: object = retells(messages)
        told = _messages(said)
        if told is not None:
            return Retold(sound(_as_words(told, tool_format)))
        wrong = f"gave {type(said).__name__}, not a tuple of messages"
    except Exception as error:  # noqa: BLE001 - a program's function is outside code: whatever it raises is data here
        wrong = f"raised {type(error).__name__}"
    last = next((each for each in reversed(messages) if isinstance(each, UserMessage) and not each.urged), None)
    message = f"What retells the conversation to the agent {wrong}: a fault of the program. The agent is told your last words only."
    return Retold(sound(() if last is None else (last,)), Problem(code="extension-failed", message=message, blame=Blame.TOOL))


def _messages(said: object) -> tuple[Message, ...] | None:
    """``said`` where it is what the function shall give; nothing has checked its code."""
    if not isinstance(said, tuple):
        return None
    found = tuple(each for each in said if isinstance(each, (UserMessage, AssistantMessage, ToolMessage)))
    return found if len(found) == len(said) else None


def _filtered(messages: tuple[Message, ...]) -> Iterable[Message]:
    """What was said, without calls and outputs."""
    for each in messages:
        if isinstance(each, AssistantMessage):
            yield evolve(each, text=_before_calls(each), calls=(), reasoning="", verbatim=None)
        elif isinstance(each, UserMessage):
            yield each


def _before_calls(message: AssistantMessage) -> str:
    """What the model wrote before its calls: in a text format they are in its text, and end it."""
    if not message.calls:
        return message.text
    name = re.escape(message.calls[0].name)
    begun = re.search(rf"^(`{{3,}}{name}\b|<tool-use\b|<{name}[\s/>])", message.text, re.MULTILINE)
    return message.text if begun is None else message.text[: begun.start()].rstrip()


def _as_words(messages: tuple[Message, ...], tool_format: ToolFormat) -> Iterable[Message]:
    """All of it, calls and outputs as text."""
    for each in messages:
        match each:
            case UserMessage():
                yield each
            case AssistantMessage():
                yield evolve(each, text=written_text(each, tool_format), calls=(), reasoning="", verbatim=None)
            case ToolMessage():
                yield UserMessage(output_text(each))
            case _:
                assert_never(each)


def sound(messages: Iterable[Message]) -> tuple[Message, ...]:
    """``messages`` of words so that the person begins and the model and they take turns; what is empty is left out, and something is always said."""
    told: tuple[Message, ...] = ()
    for each in messages:
        last = told[-1] if told else None
        if isinstance(each, ToolMessage) or not (each.text.strip() or (isinstance(each, UserMessage) and each.context)):
            continue
        if isinstance(each, UserMessage) and isinstance(last, UserMessage):
            told = (*told[:-1], _joined(last, each))
        elif isinstance(each, AssistantMessage) and isinstance(last, AssistantMessage):
            told = (*told[:-1], evolve(last, text=f"{last.text}\n\n{each.text}"))
        elif isinstance(each, AssistantMessage) and last is None:
            told = (UserMessage(NOTHING), each)
        else:
            told = (*told, each)
    return told or (UserMessage(NOTHING),)


def _joined(first: UserMessage, second: UserMessage) -> UserMessage:
    """Two messages of the person as one."""
    between = f"{second.context}\n\n" if second.context else ""
    return UserMessage(
        text=f"{first.text}\n\n{between}{second.text}",
        context=first.context,
        lessons=(*first.lessons, *second.lessons),
        pinned=first.pinned or second.pinned,
    )
