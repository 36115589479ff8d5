"""Instructions that a program's pure functions give (``Extension.instructions``), asked for before every model call.

They stand at the end of the system prompt. What does not change leaves every request's beginning as it was, so that a provider's cache holds;
a text that changes costs the cache. A function that raises, or gives what is no text, ends the turn with a word: what it was
to say may matter more than the answer.
"""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.extending import said_untrusted, situation_of
from turnfold.core.agent.state import Past
from turnfold.core.config.layers import ChatConfig
from turnfold.core.problem import Blame, Problem
from turnfold.core.tools.extension import Says, Situation
from turnfold.core.tools.spec import ToolSpec, extensions

MOST_BYTES = 100_000  # of what one function says


def instructed(tools: tuple[ToolSpec, ...], past: Past, cfg: ChatConfig) -> str | Problem:
    """What the functions that come with ``tools`` add to the instructions now; empty where there are none, and free then.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.tools.extension import Extension
    >>> from turnfold.core.tools.spec import extended
    >>> says = extended("turns", Extension(instructions=lambda situation, cfg: f"This is turn {situation.turn}."))
    >>> instructed((says,), Past(turns=3), ChatConfig(ProjectConfig(Config())))
    'This is turn 3.'
    """
    if not any(tool.extension is not None for tool in tools):
        return ""
    says = tuple(each.instructions for each in extensions(tools, cfg.agent) if each.instructions is not None)
    situation = situation_of(past, cfg)
    said: tuple[str, ...] = ()
    for each in says:
        text = _said(each, situation, cfg)
        if isinstance(text, Problem):
            return text
        said += (text,) if text.strip() else ()
    return "\n\n".join(said)


def _said(says: Says, situation: Situation, cfg: ChatConfig) -> str | Problem:
    text = said_untrusted("instructions", lambda: says(situation, cfg))
    if isinstance(text, Problem):
        return evolve(text, message=f"{text.message} The model was not asked: mend it, and go on.")
    if text is not None and len(text.encode()) > MOST_BYTES:
        message = f"The function instructions of an extension gave more than {MOST_BYTES:,} bytes, so the model was not asked."
        return Problem(code="extension-failed", message=message, blame=Blame.TOOL)
    return text or ""
