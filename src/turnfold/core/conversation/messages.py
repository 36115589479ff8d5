"""What is said in a conversation: by the person, the model and the tools."""

from __future__ import annotations

from typing import TypeAlias, final

from attrs import frozen

from turnfold.core.config.values import Wire
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem
from turnfold.core.world.images import Image


@final
@frozen
class ToolCall:
    """A model's (or a person's) wish that a tool be run with these arguments.

    >>> ToolCall("read", JsonObject.of(path="a.txt")).name
    'read'
    """

    name: str
    arguments: JsonObject


@final
@frozen
class BrokenCall:
    """A call that could not be read: the name as written, its raw arguments, and what to write instead."""

    name: str
    text: str
    problem: Problem


Invocation: TypeAlias = ToolCall | BrokenCall


@final
@frozen
class UserMessage:
    """What the person said (or turnfold itself, where it ``urged`` the model); ``context`` is what the model is told before it, such as which of the files named are there.

    ``lessons``: the paths of the lessons that are in the context. ``pinned``: no summary takes its place.
    """

    text: str
    context: str = ""
    lessons: tuple[str, ...] = ()
    pinned: bool = False
    urged: bool = False


@final
@frozen
class Verbatim:
    """What a wire format must get back word for word with a message: signed or encrypted reasoning, and what the provider ran itself.

    ``items`` are for the encoder of ``wire`` alone; a history that goes to another format is told without them.
    """

    wire: Wire
    items: tuple[JsonObject, ...]


@final
@frozen(kw_only=True)
class AssistantMessage:
    """What the model said: the text as it wrote it (with the blocks of a text format in it), and the calls read from it.

    ``place`` is the generation that it came from (``turn.generation``): call *n* of it has the id ``place.n``.
    ``cut``: the reply ended early, by an interrupt, a failure or the token limit.
    """

    text: str
    place: str
    calls: tuple[Invocation, ...] = ()
    reasoning: str = ""
    cut: bool = False
    verbatim: Verbatim | None = None


@final
@frozen(kw_only=True)
class ToolMessage:
    """What came of call ``call_id``, as the model reads it; ``ok`` is whether the tool did what was asked.

    ``images``: what the model is shown besides the text, where it can see. ``edited``: the arguments that the person gave in place of
    the model's.
    """

    call_id: str
    tool: str
    text: str
    ok: bool = True
    images: tuple[Image, ...] = ()
    edited: JsonObject | None = None


Message: TypeAlias = UserMessage | AssistantMessage | ToolMessage
