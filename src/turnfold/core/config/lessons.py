"""Files of lessons and skills, once they are read: front matter (as JSON) and Markdown to the values of a briefing.

A lesson says in its front matter when it fits: ``match: keywords``, ``patterns`` and ``tools``, or Cursor's ``globs`` (which
stand for keywords) and ``alwaysApply``. A skill has ``name`` and ``description``. What else is there counts for other
programs. Text in front matter may stand where a list is meant.
"""

from __future__ import annotations

import posixpath
import re
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.config.briefing import Lesson, Skill
from turnfold.core.config.matching import search_untrusted
from turnfold.core.json import JsonObject, JsonValue
from turnfold.core.problem import Problem, caller_problem

UNTITLED = "Untitled"
NAME_CHARS = 100
DESCRIPTION_CHARS = 1024  # the limit of the public format of skills

# fmt: off
LANGUAGES = (
    ("py", "python"), ("pyi", "python"), ("ipynb", "python"), ("ts", "typescript"), ("tsx", "typescript"), ("js", "javascript"),
    ("jsx", "javascript"), ("mjs", "javascript"), ("rs", "rust"), ("go", "golang"), ("java", "java"), ("kt", "kotlin"), ("rb", "ruby"),
    ("php", "php"), ("cs", "c#"), ("cpp", "c++"), ("hpp", "c++"), ("c", "c"), ("h", "c"), ("swift", "swift"), ("sh", "shell"),
    ("sql", "sql"), ("html", "html"), ("css", "css"), ("vue", "vue"), ("svelte", "svelte"), ("md", "markdown"), ("toml", "toml"),
    ("yml", "yaml"), ("yaml", "yaml"), ("json", "json"),
)
# fmt: on
SHORT = 4  # a name of so few letters stands in too many other words to be a keyword alone

_FRONT = re.compile(r"---[ \t]*\n(.*?)(?:^|(?<=\n))---[ \t]*(?:\n|\Z)", re.DOTALL)
_ENDING = re.compile(r"\.(?:\{([\w,]+)\}|(\w+))$")


@final
@frozen
class Parted:
    """A file's front matter, empty where it has none, and the text below it."""

    front: str
    body: str


@final
@frozen(kw_only=True)
class LessonFile:
    """A lesson as its file says it. ``category``: its folder; ``problems``: what of it does not count."""

    lesson: Lesson
    status: str = "active"
    description: str = ""
    category: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether it is in force, and anything can bring it up."""
        lesson = self.lesson
        return self.status == "active" and bool(lesson.always or lesson.keywords or lesson.patterns)


def parted(text: str) -> Parted:
    r"""The front matter between two lines of ``---`` at the beginning of ``text``, and what follows.

    >>> parted("---\nname: a\n---\n\n# A\n")
    Parted(front='name: a\n', body='# A')
    """
    found = _FRONT.match(text)
    return Parted("", text) if found is None else Parted(found[1], text[found.end() :].strip())


def title_of(body: str) -> str:
    r"""The first heading of the first level.

    >>> title_of("## A\n# B \n# C"), title_of("")
    ('B', 'Untitled')
    """
    lines = (line for line in body.split("\n") if line.startswith("# "))
    return next(lines, "# ")[2:].strip() or UNTITLED


def description_of(body: str) -> str:
    r"""The first paragraph below the title; empty without one.

    >>> description_of("# A\n\n## B\n\nIt is\nso.\n\nAnd so on.")
    'It is so.'
    """
    lines = body.split("\n")
    titled = next((index for index, line in enumerate(lines) if line.startswith("# ")), len(lines))
    paragraph: tuple[str, ...] = ()
    for line in lines[titled + 1 :]:
        if line.strip() and not line.startswith("#"):
            paragraph = (*paragraph, line.strip())
        elif paragraph:
            break
    return " ".join(paragraph)


def glob_keywords(glob: str) -> tuple[str, ...]:
    """What people say who mean files of this glob: the language of its ending, and the folders that it names.

    >>> glob_keywords("src/api/**/*.js")
    ('javascript', 'javascript code', 'src', 'api')
    """
    *folders, last = glob.strip().split("/")
    ending = _ENDING.search(last)
    endings = () if ending is None else (ending[1] or ending[2]).lower().split(",")
    languages = dict.fromkeys(language for each in endings for known, language in LANGUAGES if known == each)
    spoken = tuple(word for language in languages for word in _spoken(language))
    named = tuple(each for each in (*folders, *(() if ending else (last,))) if each and not set("*?[{.") & set(each))
    return tuple(dict.fromkeys((*spoken, *named)))


def _spoken(language: str) -> tuple[str, ...]:
    return (f"{language} code",) if len(language) <= SHORT else (language, f"{language} code")


def lesson_untrusted(front: JsonObject, body: str, path: str) -> Result[LessonFile, Problem]:
    """The lesson that a file at ``path`` holds, or why it holds none; a pattern that is not taken is among its problems.

    >>> front = JsonObject.of(match=JsonObject.of(keywords=("git", "rebase")))
    >>> lesson_untrusted(front, "# Rebase\\n\\nFetch first.", "/w/lessons/git.md").unwrap().lesson.keywords
    ('git', 'rebase')
    """
    match = front.get("match", JsonObject())
    if not isinstance(match, JsonObject):
        match = JsonObject()
        if front.get("match"):
            return Failure(_bad(path, "match is no table: write keywords: [a, b] below it, indented."))
    keywords = (*_texts(match.get("keywords")), *(word for glob in _globs(front.get("globs")) for word in glob_keywords(glob)))
    patterns = _texts(match.get("patterns"))
    refused = ((each, search_untrusted(each)) for each in patterns)
    wrong = {each: str(why.failure()) for each, why in refused if isinstance(why, Failure)}
    lesson = Lesson(
        path=path,
        title=title_of(body),
        text=body,
        keywords=tuple(dict.fromkeys(keywords)),
        patterns=tuple(each for each in patterns if each not in wrong),
        tools=_texts(match.get("tools")),
        always=_text(front.get("alwaysApply")).lower() == "true",
    )
    told = (_bad(path, f"the pattern {each[:60]!r} does not count, since {why}: write it simpler.") for each, why in wrong.items())
    return Success(
        LessonFile(
            lesson=lesson,
            status=_text(front.get("status")).lower() or "active",
            description=description_of(body),
            category=posixpath.basename(posixpath.dirname(path)),
            problems=tuple(told),
        )
    )


def skill_untrusted(front: JsonObject, body: str, path: str) -> Result[Skill, Problem]:
    """The skill that the ``SKILL.md`` at ``path`` says, or what it lacks.

    >>> skill_untrusted(JsonObject.of(description="How to\\nrelease."), "", "/w/skills/release/SKILL.md").unwrap().name
    'release'
    """
    name = _line(_text(front.get("name")), NAME_CHARS) or posixpath.basename(posixpath.dirname(path))
    description = _line(_text(front.get("description")) or description_of(body), DESCRIPTION_CHARS)
    if not description:
        return Failure(_bad(path, "it has no description: add a line  description: what it is good for  between two lines of --- on top."))
    return Success(Skill(name=name, description=description, path=path))


def _line(text: str, limit: int) -> str:
    """``text`` on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _text(value: JsonValue) -> str:
    return value.strip() if isinstance(value, str) else "true" if value is True else ""


def _texts(value: JsonValue) -> tuple[str, ...]:
    """The texts of a list; one text is a list of one."""
    several = value if isinstance(value, tuple) else (value,)
    return tuple(each.strip() for each in several if isinstance(each, str) and each.strip())


def _globs(value: JsonValue) -> tuple[str, ...]:
    """Cursor writes several globs as one text, too, with commas that are not in braces."""
    return tuple(glob for each in _texts(value) for glob in re.split(r",(?![^{]*\})", each))


def _bad(path: str, why: str) -> Problem:
    return caller_problem("bad-briefing", f"{path}: {why}")
