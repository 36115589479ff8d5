"""A call that asked a person, done with the arguments that the person gives it.

The call begins afresh with them: what it has asked so far is closed as *edited*, its tool is asked anew, and each request is judged anew.
What a person typed is what a person commanded, so the requests of an edited call need no second yes, as those of a command
(``/shell ls``) need none; a rule that denies holds all the same. The model's own message stays as the model wrote it: the result says
which arguments were used.

A call can be edited as long as nothing of it was done, and nothing is under way: otherwise a part of it would be done twice.
"""

from __future__ import annotations

from returns.result import Failure

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Publish
from turnfold.core.agent.events import RequestClosed, Unanswered, Why
from turnfold.core.agent.led_tools import at_hand
from turnfold.core.agent.requests import repeatable
from turnfold.core.agent.state import Opened, Status, Turn, effective_in_round
from turnfold.core.agent.turn_events import CallEdited
from turnfold.core.config.layers import ChatConfig
from turnfold.core.json import JsonObject, dumps, freeze
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.tools.output import limit_text
from turnfold.core.tools.schema import check_untrusted
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.core.world.requests import AskHuman

SHOWN_BYTES = 2000  # of the arguments that were used


def edit_call(draft: Draft, turn: Turn, opened: Opened, arguments: JsonObject, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The call that asked for ``opened`` begun afresh with ``arguments``; where that can't be, a Problem is published and the question stays."""
    refused = edit_refused(turn, opened)
    if refused is not None:
        return draft.act(Publish(refused))
    index = opened.request_id.slot
    slot = turn.slots[index]
    name = slot.invocation.name
    tool = find_tool(at_hand(tools, effective_in_round(cfg, turn)), name)
    read = _read_untrusted(arguments, tool)
    if isinstance(read, Problem):
        return draft.act(Publish(read))
    for each in slot.requests:
        if each.outcome is None:
            draft = draft.record(RequestClosed(each.request_id, Unanswered(Why.EDITED), draft.at_ms))
    return draft.record(CallEdited(index, read, draft.at_ms))


def edit_refused(turn: Turn, opened: Opened) -> Problem | None:
    """Why the call that asked for ``opened`` can't be done with other arguments; None where it can."""
    index = opened.request_id.slot
    if not 0 <= index < len(turn.slots) or turn.restoring is not None or isinstance(opened.request, AskHuman):
        return _refused("This question is not about a call whose arguments could be changed")
    slot = turn.slots[index]
    if any(each.outcome is None and each.status is not Status.ASKED for each in slot.requests):
        return _refused("A part of the call is under way, so its arguments can't be changed any more")
    if any(not repeatable(each.request) and not isinstance(each.outcome, Problem) for each in slot.exchanges):
        return _refused("A part of the call was done, so its arguments can't be changed any more")
    return None


def _refused(why: str) -> Problem:
    return caller_problem("not-editable", f"{why}: the question is still open, so say yes or no to it.")


def _read_untrusted(arguments: JsonObject, tool: ToolSpec | None) -> JsonObject | Problem:
    """The arguments as the tool takes them."""
    if tool is None:
        return _refused("The tool that asked is not there any more")
    try:
        frozen = freeze(arguments)
    except ValueError as error:
        return caller_problem("bad-arguments", f"The arguments of {tool.name} are no JSON, so the question is still open: {error}.")
    read = frozen if isinstance(frozen, JsonObject) else JsonObject()
    checked = check_untrusted(read, tool.parameters)
    if isinstance(checked, Failure):
        return caller_problem("bad-arguments", f"The question is still open. {checked.failure().message}")
    return read


def told_edited(text: str, arguments: JsonObject) -> str:
    r"""What the model reads of a call that was done with other arguments than it wrote.

    >>> told_edited("a.txt", JsonObject.of(command="ls"))
    'a.txt\n\n[The user changed the arguments of this call. It was done with: {"command":"ls"}]'
    """
    return f"{text}\n\n[The user changed the arguments of this call. It was done with: {limit_text(dumps(arguments), SHOWN_BYTES)}]"
