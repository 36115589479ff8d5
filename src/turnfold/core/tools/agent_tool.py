"""An agent as a tool: a call of it is a conversation of its own, which the agent leads, and its answer is the call's output.

What the agent is asked is all that it knows of this conversation. It has this one's rules and tools, as far as its own settings leave them,
and what is left of its limits (``core/agent/children.py``).
"""

from __future__ import annotations

import re
from typing import final

from attrs import frozen

from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject
from turnfold.core.problem import Problem, model_problem
from turnfold.core.tools.arguments import parameters, text_argument, text_parameter
from turnfold.core.tools.generator import Script, asked, from_generator
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.spec import Call, Done, Memory, Next, Refuse, ToolSpec
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import ChildEnded
from turnfold.core.world.requests import StartChild

NAME_CHARS = 64  # OpenAI: "a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64"; the others take no more
ABOUT_CHARS = 300
PARAMETERS = parameters(
    ("input",), input=text_parameter("What is wanted of it, with all that it needs to know: it knows nothing else.", least=1)
)
UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


@final
@frozen(kw_only=True)
class Consulted:
    """The ``advance`` of an agent as a tool; equal for equal agents, so that what is offered to a model is known again."""

    agent: str
    tools: tuple[str, ...] | None = None
    generations: int | None = None
    tokens: int | None = None
    usd: float | None = None

    def __call__(self, call: Call, cfg: ChatConfig) -> Next:
        """A child that the agent leads, then what it came to."""
        return from_generator(self._consulted)(call, cfg)

    def _consulted(self, arguments: JsonObject, memory: Memory, cfg: ChatConfig) -> Script:
        """Start the child, and tell what it came to."""
        said = text_argument(arguments, "input")
        if not said.strip():
            return Refuse(model_problem("no-task", "Say in input what is wanted, with all that is needed to know.", "$.input"))
        request = StartChild(task=said, agent=self.agent, tools=self.tools, generations=self.generations, tokens=self.tokens, usd=self.usd)
        ended = yield from asked(request, ChildEnded)
        if isinstance(ended, Problem):
            return Refuse(ended)
        answer = limit_text(ended.text, cfg.limits.output_bytes).rstrip("\n") or "(it said nothing)"
        return Done(answer) if ended.ok else Done(f"It did not finish. {answer}\n(conversation {ended.conversation})", ok=False)


def agent_tool(
    agent: AgentSpec | str,
    *,
    name: str = "",
    description: str = "",
    tools: tuple[str, ...] | None = None,
    generations: int | None = None,
    tokens: int | None = None,
    usd: float | None = None,
) -> ToolSpec:
    """``agent``, one of the config's, as a tool, called ``name`` (by default as the agent is), with its one argument ``input``.

    ``tools``: those of the calling conversation's that it may use; ``generations``, ``tokens`` and ``usd`` bound each call. An agent that the
    config does not describe when it is called is a Problem that names those that there are.

    >>> agent_tool("critic", description="Finds what is wrong with a text.").name
    'critic'
    """
    called = agent if isinstance(agent, str) else agent.name
    return ToolSpec(
        name=name or fit_name(called),
        description=description or about_agent(agent, f"Have the agent {called} do something, and get its answer."),
        parameters=PARAMETERS,
        advance=Consulted(agent=called, tools=tools, generations=generations, tokens=tokens, usd=usd),
        body="input",
    )


def fit_name(name: str) -> str:
    """``name`` as one that every provider takes for a tool.

    >>> fit_name("legal.de")
    'legal_de'
    """
    return UNFIT.sub("_", name)[:NAME_CHARS]


def about_agent(agent: AgentSpec | str, otherwise: str) -> str:
    """What others are told of an agent: its description, or the first line of its instructions.

    >>> about_agent(AgentSpec(name="critic", instructions="Be strict.\\nAnd fair."), "")
    'Be strict.'
    """
    said = "" if isinstance(agent, str) else agent.description.strip() or agent.instructions.strip().partition("\n")[0].strip()
    return clipped(said, ABOUT_CHARS) if said else otherwise
