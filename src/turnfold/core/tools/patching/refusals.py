"""Why a patch does not fit a text, told so that a model can write one that does."""

from __future__ import annotations

from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.nearest import nearest_place
from turnfold.core.tools.textlines import clipped

MAX_TOLD = 5  # places that are named when lines are found more than once


def ambiguous(lines: tuple[int, ...], name: str) -> Problem:
    """The Problem of what fits at several lines (from 0).

    >>> ambiguous((1, 2), "Block 1").message
    'Block 1 fits at 2 places (lines 2, 3); write more lines around the change, so that it fits at one.'
    """
    places = ", ".join(str(line + 1) for line in lines[:MAX_TOLD])
    count = f"{len(lines)} places" if len(lines) <= MAX_TOLD else f"more than {MAX_TOLD} places"
    more = "" if len(lines) <= MAX_TOLD else " …"
    message = f"{name} fits at {count} (lines {places}{more}); write more lines around the change, so that it fits at one."
    return model_problem("ambiguous", message)


def not_found(original: tuple[str, ...], text: str, name: str, what: str) -> Problem:
    r"""The Problem of lines that are nowhere in ``text``; ``what`` must be there.

    >>> print(not_found(("b",), "a\n    b\n", "Block 1", "its original").message)
    Block 1 is not in the file: its original must equal whole lines of it.
    The nearest is line 2, where only the indentation differs:
    2	    b
    Write the lines exactly as they are.
    """
    place = nearest_place(original, text)
    near = f"The nearest is {place}\n" if place else ""
    message = f"{name} is not in the file: {what} must equal whole lines of it.\n{near}Write the lines exactly as they are."
    return model_problem("not-in-file", message)


def lazy(line: str, name: str) -> Problem:
    """The Problem of a line that stands for text which is not there.

    >>> lazy("# ...", "Block 1").code
    'placeholder'
    """
    message = f"{name} has the placeholder line `{clipped(line.strip())}` in its update only; write the lines that it stands for."
    return model_problem("placeholder", message)


def no_place(name: str) -> Problem:
    """The Problem of lines to be added nobody knows where.

    >>> no_place("Section 1").code
    'empty-original'
    """
    return model_problem("empty-original", f"{name} does not say where; write a line that is there, before or after the new ones.")


def overlapping(line: int) -> Problem:
    """The Problem of two sections that change the same place.

    >>> overlapping(3).message
    'Two sections change the same place (line 4); write one section for it.'
    """
    return model_problem("overlap", f"Two sections change the same place (line {line + 1}); write one section for it.")
