"""Asking the functions that a program brought in (``Extension``): whatever their code does, what comes of it is a value."""

from __future__ import annotations

from collections.abc import Callable

from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import scalar_text
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.extension import Situation


def situation_of(past: Past, cfg: ChatConfig) -> Situation:
    """The conversation as an extension sees it.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> situation_of(Past(turns=2), ChatConfig(ProjectConfig(Config()))).turn
    2
    """
    generation = 0 if past.turn is None else past.turn.generation
    return Situation(log=past.log, memories=past.memories, usage=past.usage, turn=past.turns, generation=generation, agent=cfg.agent)


def said_untrusted(what: str, function: Callable[[], object]) -> str | Problem | None:
    """The text that ``function`` gives, or None; a Problem, with its code to blame, where it raises or gives something else.

    >>> said_untrusted("stops", lambda: "That is enough."), said_untrusted("stops", lambda: None)
    ('That is enough.', None)
    >>> said_untrusted("stops", lambda: 1 // 0).message
    'The function stops of an extension raised ZeroDivisionError: integer division or modulo by zero. This is a fault of the program, not of the model.'
    """
    try:
        said = function()
        if said is None or isinstance(said, str):
            return None if said is None else scalar_text(said)
        came = f"gave {type(said).__name__}, and not a text or None"
    except Exception as error:  # noqa: BLE001 - a program's own code: whatever it raises is data here
        came = f"raised {_told(error)}"
    message = f"The function {what} of an extension {came}. This is a fault of the program, not of the model."
    return Problem(code="extension-failed", message=message, blame=Blame.TOOL)


def _told(error: Exception) -> str:
    try:
        return scalar_text(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - an exception's own text is the program's code, too
        return type(error).__name__
