"""Which lessons fit what a person said: keywords and patterns, found without regard to case, in bounded time.

A keyword is found anywhere in the text, inside of words too; ``*`` in it stands for some word characters. A pattern is a
regular expression of someone else's, so it could run for years. It is made harmless by a simple rule, not by a clock:

* no group is repeated (``?`` apart), and there is no look-around, back reference or inline flag: else it is refused;
* ``*``, ``+`` and ``{n,}`` reach ``REACH`` characters; so the ways to match at one place are at most the product of its repeats
  and alternatives, and where that is over ``WAYS``, it is refused;
* only the first ``LOOKED_AT`` characters are looked at, and all patterns of one message together take at most ``STEPS`` steps;
  patterns beyond that, in the order of the lessons' paths, are not tried.

A keyword with ``*`` is such a pattern. Plain keywords are looked for in the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import final

from attrs import frozen
from returns.result import Failure, Result, Success

from turnfold.core.config.briefing import Lesson

REACH = 64
WAYS = 10_000
LOOKED_AT = 2_000
STEPS = 100_000_000
PATTERN_CHARS = 300

_TOKEN = re.compile(
    r"(?P<escape>\\.)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<open>\((?:\?:|\?P<\w+>)?)"
    r"|(?P<close>\))"
    r"|(?P<bar>\|)"
    r"|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\}|\{,\d*\})(?P<mode>[?+]?)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_IN_SET = re.compile(r"\\.|[\[&~|]", re.DOTALL)  # Python warns of what may mean more one day


@final
@frozen
class Search:
    """A regular expression that ends in bounded time, and in how many ways it can match at one place."""

    expression: str
    ways: int

    def found_in(self, text: str) -> bool:
        """Whether it is found, without regard to case."""
        return re.search(self.expression, text, re.IGNORECASE) is not None


class _RefusedError(ValueError):
    """A pattern that is not taken; never leaves this module."""


def search_untrusted(pattern: str) -> Result[Search, str]:
    """``pattern`` as a search that ends, or why it is not taken.

    >>> search_untrusted(r"(timeout|error) in (\\w+)").unwrap().ways
    128
    >>> search_untrusted("(a+)+b").failure()
    'a group is repeated'
    """
    if len(pattern) > PATTERN_CHARS:
        return Failure(f"it has more than {PATTERN_CHARS} characters")
    try:
        search = _bounded(pattern)
        re.compile(search.expression, re.IGNORECASE)
    except _RefusedError as refused:
        return Failure(str(refused))
    except (re.error, OverflowError, RecursionError) as error:
        return Failure(f"it is no regular expression ({error})")
    return Success(search)


def _bounded(pattern: str) -> Search:
    parts: tuple[str, ...] = ()
    choices: tuple[int, ...] = (1,)  # the alternatives of each group that is open, the innermost first
    ways, last = 1, "open"
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup or "", token[0]
        if kind == "mode":  # it is the last group of a repeat, also where it is empty
            repeat = _repeat(token["repeat"], last)
            text, ways, kind = repeat.expression + token["mode"], ways * repeat.ways, "repeat"
        elif kind == "open":
            choices = (1, *choices)
        elif kind == "bar":
            choices = (choices[0] + 1, *choices[1:])
        elif kind == "close" and len(choices) > 1:
            ways, choices = ways * choices[0], choices[1:]
        elif kind == "set":
            text = _set(text)
        elif kind == "escape" and text[1] in "123456789":
            raise _RefusedError("it refers back to a group")
        parts, last = (*parts, text), kind
    ways *= choices[-1]
    if ways > WAYS:
        raise _RefusedError("it repeats too much, so that it could take long")
    return Search("".join(parts), ways)


def _repeat(text: str, last: str) -> Search:
    """A repeat with a bounded reach."""
    if last == "open":
        raise _RefusedError("of (?…) only (?:…) and (?P<name>…) are taken" if text == "?" else "nothing is before a repeat")
    if last == "close" and text != "?":
        raise _RefusedError("a group is repeated")
    if text == "?":
        return Search(text, 2)
    low, comma, high = ("0" if text == "*" else "1", ",", "") if text in "*+" else text[1:-1].partition(",")
    least = int(low[:9] or "0")
    most = int(high[:9]) if high else max(REACH, least) if comma else least
    if least > REACH or most > REACH:
        raise _RefusedError(f"it repeats something more than {REACH} times")
    return Search(f"{{{least},{most}}}", max(most - least + 1, 1) if comma else 1)


def _set(text: str) -> str:
    if "--" in text:
        raise _RefusedError("it has -- in […]")
    inner = _IN_SET.sub(lambda found: found[0] if found[0].startswith("\\") else "\\" + found[0], text[1:-1])
    return f"[{inner}]"


def match_pattern(pattern: str, text: str) -> bool:
    r"""Whether ``pattern`` is found in the beginning of ``text``; one that is not taken is not found.

    >>> match_pattern(r"error\d+", "found ERROR42 in logs"), match_pattern("(", "(")
    (True, False)
    """
    search = search_untrusted(pattern).value_or(None)
    return bool(pattern) and search is not None and search.found_in(text[:LOOKED_AT])


def match_keyword(keyword: str, text: str) -> bool:
    """Whether ``keyword`` is found in ``text``.

    >>> match_keyword("err", "Berry"), match_keyword("test*case", "testXcase"), match_keyword("test*case", "test case")
    (True, True, False)
    """
    wanted = keyword.strip()
    return match_pattern(_wild(wanted), text) if "*" in wanted else bool(wanted) and wanted.casefold() in text.casefold()


def _wild(keyword: str) -> str:
    """A keyword with ``*`` as a pattern."""
    return r"\w*".join(re.escape(part) for part in keyword.split("*"))


def fitting(lessons: tuple[Lesson, ...], text: str, tools: tuple[str, ...], told: tuple[str, ...], at_most: int) -> tuple[Lesson, ...]:
    """At most ``at_most`` of the lessons that fit ``text`` and one of ``tools``, the best first, none whose path is in ``told``.

    The best has the most of its keywords and patterns in the text; of equals, the one whose path comes first. A lesson that
    always applies has one more. Linear in the text times the lessons.
    """
    known = frozenset(told)
    left = [each for each in lessons if each.path not in known and (not each.tools or any(tool in tools for tool in each.tools))]
    whole, beginning, steps = text.casefold(), text[:LOOKED_AT], STEPS
    found: list[tuple[int, Lesson]] = []
    for lesson in sorted(left, key=lambda each: each.path):
        hits = lesson.always + sum(word.strip().casefold() in whole for word in lesson.keywords if word.strip() and "*" not in word)
        for search in _searches(lesson):
            cost = search.ways * len(beginning)
            if cost <= steps:
                steps -= cost
                hits += search.found_in(beginning)
        found += [(hits, lesson)] if hits else []
    found.sort(key=lambda each: -each[0])  # stable: of equals the first path stays first
    return tuple(lesson for _, lesson in found[: max(at_most, 0)])


def _searches(lesson: Lesson) -> Iterator[Search]:
    patterns = (*(_wild(word.strip()) for word in lesson.keywords if "*" in word), *filter(None, lesson.patterns))
    for pattern in patterns:
        search = search_untrusted(pattern).value_or(None)
        if search is not None:
            yield search
