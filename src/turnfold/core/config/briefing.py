"""What a conversation was told of its surroundings when it began: texts, skills and lessons, read once at the edge."""

from __future__ import annotations

from typing import final

from attrs import frozen


@final
@frozen
class Text:
    """A text that stands in the system prompt: ``name`` is a file's path or a command."""

    name: str
    text: str


@final
@frozen(kw_only=True)
class Skill:
    """A skill's name and what it is for; the model reads the rest of it at ``path`` when it needs to."""

    name: str
    description: str
    path: str


@final
@frozen(kw_only=True)
class Lesson:
    """A lesson: told with the first message of the person in which a keyword or pattern of it is found.

    ``keywords``: texts, in which ``*`` stands for some word characters; ``patterns``: regular expressions. Both without
    regard to case. ``tools``: it fits only where one of them can be used; none means any. ``always``: it fits every message.
    """

    path: str
    title: str
    text: str
    keywords: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    always: bool = False


@final
@frozen(kw_only=True)
class Briefing:
    """All of it."""

    texts: tuple[Text, ...] = ()
    skills: tuple[Skill, ...] = ()
    lessons: tuple[Lesson, ...] = ()
