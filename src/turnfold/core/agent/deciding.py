"""What a person decides on a question: yes, no and why, an answer to a tool, other arguments, and rules that hold from then on.

A decision is on one request. The others of its call stay asked (but after a no, which ends the call), and other calls go on.
"""

from __future__ import annotations

from returns.result import Failure

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.editing import edit_call
from turnfold.core.agent.effects import Perform, Publish
from turnfold.core.agent.events import Permitted, RequestClosed, Unanswered, Why
from turnfold.core.agent.inputs import Decided
from turnfold.core.agent.reconfigure import reconfigured
from turnfold.core.agent.state import Status, effective, find_open
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.json import JsonObject, scalar_text
from turnfold.core.tools.forms import said_untrusted
from turnfold.core.tools.spec import ToolSpec
from turnfold.core.world.requests import AskHuman


def decided(draft: Draft, input: Decided, tools: tuple[ToolSpec, ...], cfg: ChatConfig) -> Draft:
    """The draft with what the person decided; as it was, where nothing was asked, or what they said does not fit."""
    found = find_open(draft.past, input.request_id)
    if found is None or found.status is not Status.ASKED:
        return draft
    if not input.allowed:
        draft = draft.record(RequestClosed(input.request_id, Unanswered(Why.DENIED, scalar_text(input.note)), draft.at_ms))
    elif input.arguments is not None and draft.past.turn is not None:
        edited = edit_call(draft, draft.past.turn, found, input.arguments, tools, cfg)
        if edited.records == draft.records:
            return edited  # the question stays open
        draft = edited
    elif isinstance(found.request, AskHuman):
        said = said_untrusted(found.request, input.said or JsonObject())
        if isinstance(said, Failure):
            return draft.act(Publish(said.failure()))  # the question stays open
        draft = draft.record(RequestClosed(input.request_id, said.unwrap(), draft.at_ms))
    else:
        draft = draft.record(Permitted(input.request_id, draft.at_ms)).act(Perform(input.request_id, found.request))
    if not input.rules:
        return draft
    return reconfigured(draft, Overrides(rules=input.rules), effective(cfg, draft.past))
