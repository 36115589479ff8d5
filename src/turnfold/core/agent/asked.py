"""Questions to people as plain data: what waits, why, what it would do, and what may be decided.

A question needs nothing of the run that asked it. It can be stored and shown elsewhere (the codec encodes it), and whoever decides sends
the input ``Decided`` with its ``request_id`` to the conversation, in any process, at any time; the others stay open.
"""

from __future__ import annotations

from typing import final

from attrs import frozen

from turnfold.core.agent.editing import edit_refused
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.state import ChatState, Opened, effective, questions
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Rule
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.tools.preview import preview
from turnfold.core.tools.spec import ToolSpec, find_tool
from turnfold.core.world.likes import likes
from turnfold.core.world.requests import Request


@final
@frozen(kw_only=True)
class Question:
    """A request that waits for a person: what it is, why it is asked, and what it would do, ready to be shown.

    ``tool``: whose call asks. ``arguments``: those of the call, where a person may give others (``Decided.arguments``); else None.
    ``parameters``: the JSON Schema of these, where the tools were given. ``always``: the rules that allow this and the like from now on (``Decided.rules``); empty where nothing is like it. ``child``: the id of
    the conversation that asks, where it is not the one that runs but a child of it.
    """

    request_id: RequestId
    request: Request
    reason: str
    preview: str
    tool: str = ""
    arguments: JsonObject | None = None
    parameters: JsonObject | None = None
    always: tuple[Rule, ...] = ()
    child: str = ""


def questions_of(state: ChatState, cfg: ChatConfig, tools: tuple[ToolSpec, ...] = ()) -> tuple[Question, ...]:
    """All that ``state`` waits for a person to decide, in the order of the calls; pure, and none where it waits for nobody.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> questions_of(ChatState(), ChatConfig(ProjectConfig(Config())))
    ()
    """
    now = effective(cfg, state.past)
    return tuple(question_of(state, opened, now, tools) for opened in questions(state.past))


def question_of(state: ChatState, opened: Opened, cfg: ChatConfig, tools: tuple[ToolSpec, ...] = ()) -> Question:
    """An asked request with what it would do, from what its call has seen so far; ``cfg`` is as it is now."""
    turn, index = state.past.turn, opened.request_id.slot
    slot = turn.slots[index] if turn is not None and 0 <= index < len(turn.slots) else None
    call = None if slot is None else slot.invocation
    tool = None if call is None else find_tool(tools, call.name)
    editable = isinstance(call, ToolCall) and turn is not None and edit_refused(turn, opened) is None
    return Question(
        request_id=opened.request_id,
        request=opened.request,
        reason=opened.asked,
        preview=preview(opened.request, () if slot is None else slot.exchanges, cfg),
        tool="" if call is None else call.name,
        arguments=call.arguments if editable and isinstance(call, ToolCall) else None,
        parameters=None if tool is None or not editable else tool.parameters,
        always=likes(opened.request, cfg),
    )
