"""The command ``/decide``: an answer to a question by its id, for whoever is not asked where the run is: a script, another process."""

from __future__ import annotations

from returns.result import Failure

from turnfold.core.agent.commands.command import Command, columns, parted, refuse, tell, wrong
from turnfold.core.agent.deciding import decided
from turnfold.core.agent.draft import Draft
from turnfold.core.agent.ids import parse_id_untrusted
from turnfold.core.agent.inputs import Decided
from turnfold.core.agent.state import Opened, questions
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, loads_untrusted
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.described import described
from turnfold.core.world.likes import likes
from turnfold.core.world.requests import AskHuman

LINE_CHARS = 120
HOW = "write  /decide ID yes,  no REASON,  always,  or a JSON object"


def _decide(draft: Draft, rest: str, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    asked = questions(draft.past)
    if not rest:
        return tell(draft, columns(tuple((str(each.request_id), _about(each)) for each in asked)) or "Nothing waits for you.")
    name, said = parted(rest)
    request_id = parse_id_untrusted(name)
    found = next((each for each in asked if each.request_id == request_id), None)
    if found is None:
        there = ", ".join(str(each.request_id) for each in asked)
        return wrong(draft, f"No question {name[:40]!r} is open{f': there are {there}' if there else ''}.", "unknown-question")
    read = _read_untrusted(found, said.strip(), cfg, draft.at_ms)
    return refuse(draft, read) if isinstance(read, Problem) else decided(draft, read, tools, cfg)


def _about(opened: Opened) -> str:
    about = described(opened.request)
    return clipped(f"{about.kind} {' '.join(about.subject.split())}", LINE_CHARS)


def _read_untrusted(opened: Opened, said: str, cfg: ChatConfig, at_ms: int) -> Decided | Problem:
    """What the person said to the question: the arguments that its call shall be done with, or what they answer a tool, are JSON."""
    word, reason = parted(said)
    match word.lower():
        case "yes":
            return Decided(opened.request_id, allowed=True, at_ms=at_ms)
        case "no":
            return Decided(opened.request_id, allowed=False, note=reason.strip(), at_ms=at_ms)
        case "always":
            rules = likes(opened.request, cfg)
            alone = f"Nothing is like this request, so it can't be allowed for good: say  /decide {opened.request_id} yes"
            return Decided(opened.request_id, allowed=True, rules=rules, at_ms=at_ms) if rules else caller_problem("no-like", alone)
        case _:
            given = loads_untrusted(said)
    value = None if isinstance(given, Failure) else given.unwrap()
    if not isinstance(value, JsonObject):
        return caller_problem("bad-argument", f"{clipped(said, 40)!r} decides nothing: {HOW}.")
    if isinstance(opened.request, AskHuman):
        return Decided(opened.request_id, allowed=True, at_ms=at_ms, said=value)
    return Decided(opened.request_id, allowed=True, at_ms=at_ms, arguments=value)


DECIDE = Command(
    name="decide",
    arguments="[ID [yes|no REASON|always|JSON]]",
    help=(
        "List the questions that wait for you, or answer one.\nalways allows this and the like of it from now on. JSON are the arguments "
        "that the call shall be done with instead of the model's, or, where a tool asks you, your answers by the names of its fields."
    ),
    run=_decide,
)
