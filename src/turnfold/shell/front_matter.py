"""Front matter: the YAML between two lines of ``---`` on top of a lesson or a skill.

PyYAML reads it, and is imported when the first file has any. Every scalar stays the text that it is: ``no``, ``1.10`` and
``2024-01-01`` are words here. Aliases are refused: nine lines of them spell a billion words.
"""

from __future__ import annotations

import re

from returns.result import Failure, Result, Success

from turnfold.core.config.briefing import Skill
from turnfold.core.config.lessons import LessonFile, lesson_untrusted, parted, skill_untrusted
from turnfold.core.json import JsonObject, freeze, quoted
from turnfold.core.problem import Problem, caller_problem

FRONT_CHARS = 16_000
BRACKETS = 200  # nested, they take YAML without libyaml the square of their number

_BARE_GLOBS = re.compile(r"^globs:[ \t]+([^\s\"'\[#].*?)[ \t]*$", re.MULTILINE)  # as Cursor writes them: * would be an alias


def front_untrusted(text: str, path: str) -> Result[JsonObject, Problem]:
    """The table that the YAML in ``text`` spells, or what is wrong with it and in which line of the file.

    >>> front_untrusted("match:\\n  keywords: [git, 404]", "a.md").unwrap()
    JsonObject.of(match=JsonObject.of(keywords=('git', '404')))
    >>> str(front_untrusted("a: b: c", "a.md").failure())
    'a.md:2: the front matter is no YAML (mapping values are not allowed in this context): put texts in quotes, or take it out.'
    """
    if not text.strip():
        return Success(JsonObject())
    if len(text) > FRONT_CHARS or text.count("[") + text.count("{") > BRACKETS:
        return Failure(_bad(path, f"the front matter has more than {FRONT_CHARS:,} characters or {BRACKETS} brackets: say less in it."))
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # without libyaml there is only the slow one
    mended = _BARE_GLOBS.sub(lambda found: f"globs: {quoted(found[1])}", text)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(mended, loader)):
            return Failure(_bad(path, "the front matter has a YAML alias (*name): write out what it stands for."))
        front = freeze(yaml.load(mended, loader))  # noqa: S506 - a base loader makes texts, lists and tables, nothing else
    except yaml.MarkedYAMLError as error:
        line = 0 if error.problem_mark is None else error.problem_mark.line + 2  # the line of --- is the first
        return Failure(_bad(path, f"the front matter is no YAML ({error.problem}): put texts in quotes, or take it out.", line))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Failure(_bad(path, f"the front matter can't be read ({str(error).splitlines()[0][:200]}): mend it, or take it out."))
    if not isinstance(front, JsonObject):
        return Failure(_bad(path, "the front matter is no table: write lines such as  status: active."))
    return Success(front)


def parse_lesson_untrusted(text: str, path: str) -> Result[LessonFile, Problem]:
    """The lesson in the ``text`` of the file at ``path``, or what is wrong with it."""
    file = parted(text)
    return front_untrusted(file.front, path).bind(lambda front: lesson_untrusted(front, file.body, path))


def parse_skill_untrusted(text: str, path: str) -> Result[Skill, Problem]:
    """The skill that the ``text`` of the ``SKILL.md`` at ``path`` says, or what is wrong with it."""
    file = parted(text)
    return front_untrusted(file.front, path).bind(lambda front: skill_untrusted(front, file.body, path))


def _bad(path: str, why: str, line: int = 0) -> Problem:
    return caller_problem("bad-briefing", f"{path}:{line}: {why}" if line else f"{path}: {why}")
