"""A change of settings in a running conversation: recorded, and asked what it says to the questions that wait."""

from __future__ import annotations

from typing import assert_never

from attrs import evolve

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import Permitted, Reconfigured, RequestClosed, Unanswered, Why
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.state import questions
from turnfold.core.config.layers import ChatConfig, Overrides
from turnfold.core.world.permission import Allow, Ask, Deny, permit


def reconfigured(draft: Draft, change: Overrides, cfg: ChatConfig) -> Draft:
    """The draft with ``change`` over ``cfg`` (the settings in force), and the questions answered that it answers."""
    changed = draft.record(Reconfigured(change, draft.at_ms))
    return _ask_again(changed, evolve(cfg, overrides=(change, *cfg.overrides)))


def _ask_again(draft: Draft, cfg: ChatConfig) -> Draft:
    """The questions that a new rule answers, answered; those of a call that was denied are not worth a yes any more."""
    for each in questions(draft.past):
        match permit(each.request, cfg):
            case Allow() if not _denied(draft, each.request_id):
                draft = draft.record(Permitted(each.request_id, draft.at_ms)).act(Perform(each.request_id, each.request))
            case Deny(reason):
                draft = draft.record(RequestClosed(each.request_id, Unanswered(Why.DENIED, reason), draft.at_ms))
            case Allow() | Ask():
                pass
            case _ as never:
                assert_never(never)
    return draft


def _denied(draft: Draft, request_id: RequestId) -> bool:
    """Whether another request of the same call was denied."""
    slots = () if draft.past.turn is None else draft.past.turn.slots
    return any(slot.unanswered(Why.DENIED) is not None for slot in slots[request_id.slot : request_id.slot + 1])
