"""Opening, closing and interrupting requests: the decisions that model calls and tool calls share."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Cancel, Perform, Progress, Publish
from turnfold.core.agent.events import CancelAsked, RequestClosed, RequestOpened, Unanswered, Why
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.state import Opened, Status, find_open
from turnfold.core.config.layers import ChatConfig
from turnfold.core.world.permission import Allow, Ask, Deny, permit
from turnfold.core.world.requests import (
    AskHuman,
    CallModel,
    FetchUrl,
    ListFiles,
    ReadFile,
    ReadImage,
    Request,
    SearchChats,
    SearchFiles,
    SearchIndex,
    Wait,
)

PROGRESS_CHARS = 16_000  # of one piece of progress; what comes before its last ones is in the answer
REPEATABLE = (
    CallModel,
    Wait,
    ReadFile,
    ReadImage,
    ListFiles,
    SearchFiles,
    SearchIndex,
    SearchChats,
    FetchUrl,
)  # asking twice changes nothing in the world


def repeatable(request: Request) -> bool:
    """Whether ``request`` may be performed again when its answer was lost.

    >>> repeatable(ListFiles(path="/w", limit=1))
    True
    """
    return isinstance(request, REPEATABLE)


def open_request(draft: Draft, request_id: RequestId, request: Request, cfg: ChatConfig, commanded: bool = False) -> Draft:
    """``request`` opened as its permission says: performed, asked, or closed at once as denied.

    What a person commanded needs no second yes, but a rule that denies holds for commands, too; a question to a person waits in any case.
    """
    match permit(request, cfg):
        case Deny(reason):
            opened = draft.record(RequestOpened(request_id=request_id, request=request, asked=reason, at_ms=draft.at_ms))
            return opened.record(RequestClosed(request_id, Unanswered(Why.DENIED, reason), draft.at_ms))
        case Ask(reason) if not commanded or isinstance(request, AskHuman):
            return draft.record(RequestOpened(request_id=request_id, request=request, asked=reason, at_ms=draft.at_ms))
        case Allow() | Ask():
            opened = draft.record(RequestOpened(request_id=request_id, request=request, at_ms=draft.at_ms))
            return opened.act(Perform(request_id, request))
        case _ as never:
            assert_never(never)


def interrupt_request(draft: Draft, opened: Opened) -> Draft:
    """An open request on its way to an end: what was only asked is closed, what runs is told to stop."""
    if opened.status is Status.ASKED:
        return draft.record(RequestClosed(opened.request_id, Unanswered(Why.INTERRUPTED), draft.at_ms))
    if opened.status is Status.RUNNING:
        return draft.record(CancelAsked(opened.request_id, draft.at_ms)).act(Cancel(opened.request_id))
    return draft


def progressed(draft: Draft, request_id: RequestId, data: bytes) -> Draft:
    """What a request to the world has printed meanwhile, shown and not kept; of any other request it changes nothing."""
    found = find_open(draft.past, request_id)
    if found is None or found.status is Status.ASKED or isinstance(found.request, CallModel) or not data:
        return draft
    return draft.act(Publish(Progress(request_id, data.decode("utf-8", "replace")[-PROGRESS_CHARS:])))
