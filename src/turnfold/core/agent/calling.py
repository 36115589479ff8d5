"""Calling a model: who may be called, and a call opened with its body, for a reply as for a summary."""

from __future__ import annotations

from attrs import evolve

from turnfold.core.agent.draft import Draft
from turnfold.core.agent.effects import Perform
from turnfold.core.agent.events import RequestOpened
from turnfold.core.agent.ids import MODEL, RequestId
from turnfold.core.agent.limits import call_deadline, price_missing, turn_deadline
from turnfold.core.agent.live import LiveReply, Plan
from turnfold.core.agent.state import Past, Turn, find_open
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located, full_name, locate, profile_of
from turnfold.core.config.values import ModelProfile, ToolFormat
from turnfold.core.conversation.messages import UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.call_format import Scan
from turnfold.core.llm.prices import priced
from turnfold.core.llm.protocol import Head
from turnfold.core.llm.wire import begin, encoder, finish
from turnfold.core.problem import Problem, caller_problem, model_problem
from turnfold.core.world.permission import Deny, permit
from turnfold.core.world.requests import CallModel, Purpose, Request
from turnfold.core.world.usage import Usage

NO_USAGE: Usage = Usage()


def callable_model(cfg: ChatConfig, model: str = "") -> Located | Problem:
    """Where ``model`` (by default the conversation's) is served; a Problem where that isn't known, or it may not be called."""
    found = locate(cfg, model or cfg.model)
    if isinstance(found, Problem):
        return found
    if isinstance(permit(CallModel(provider=found.provider, model=found.model, upto=0), cfg), Deny):
        name = f"{found.provider.name}/{found.model}"
        message = f"A rule of the config denies calls of {name}. Change the rule, or name another model with --model."
        return caller_problem("model-denied", message)
    return price_missing(found, cfg) or found


def call_model(
    draft: Draft,
    turn: Turn,
    model: Located,
    body: bytes,
    cfg: ChatConfig,
    *,
    scan: Scan | None = None,
    plan: Plan | None = None,
    spared_bytes: int = 0,
) -> Draft:
    """The model asked with ``body``: for a summary where it is planned, else for a reply, whose calls ``scan`` reads in a text format.

    ``spared_bytes`` of the body are pictures, which do not count as text does.
    """
    request_id = RequestId(turn.number, turn.generation, MODEL, turn.asked)
    request = CallModel(
        provider=model.provider,
        model=model.model,
        upto=draft.past.events,
        purpose=Purpose.REPLY if plan is None else Purpose.SUMMARY,
        size_bytes=len(body) - spared_bytes,
    )
    opened = draft.record(RequestOpened(request_id=request_id, request=request, at_ms=draft.at_ms))
    reply = LiveReply(
        request_id=request_id,
        fold=begin(model.provider.wire),
        scan=scan,
        limit_bytes=cfg.limits.reply_bytes,
        deadline_ms=reply_deadline(opened.past, request_id, cfg),
        plan=plan,
    )
    return opened.with_live(evolve(opened.state.live, reply=reply)).act(Perform(request_id, request, body))


def call_body(model: Located, system: str, said: str, cfg: ChatConfig) -> bytes:
    """The request to ``model`` for a reply to one text alone, without tools."""
    name = f"{model.provider.name}/{model.model}"
    profile = profile_of(cfg, name)
    head = Head(
        model=model.model,
        system=system,
        temperature=profile.temperature,
        max_tokens=profile.max_tokens,
        tokens_parameter=model.provider.tokens_parameter,
        asks_usage=model.provider.asks_usage,
        parameters=cfg.parameters if name == full_name(cfg, cfg.model) else JsonObject(),
    )
    write = encoder(model.provider.wire)
    return write.encode_request(write.encode_head(head), (write.encode_message(UserMessage(said), ToolFormat.NATIVE),))


def reply_deadline(past: Past, request_id: RequestId, cfg: ChatConfig) -> int | None:
    """When the call that was just opened, or the turn, is over; None where neither is limited."""
    found = find_open(past, request_id)
    own = None if found is None else call_deadline(found, cfg)
    return min((each for each in (own, turn_deadline(past, cfg)) if each is not None), default=None)


def called_profile(past: Past, cfg: ChatConfig) -> ModelProfile:
    """The profile of the model that the running turn has called: the settings may name another one by now."""
    opened = None if past.turn is None else past.turn.model
    return profile_called(None if opened is None else opened.request, cfg)


def profile_called(request: Request | None, cfg: ChatConfig) -> ModelProfile:
    """The profile of the model that ``request`` calls; of the conversation's own for any other request."""
    return profile_of(cfg, f"{request.provider.name}/{request.model}" if isinstance(request, CallModel) else "")


def spent(draft: Draft, reply: LiveReply | None, cfg: ChatConfig) -> Usage | None:
    """What the provider said of tokens in a reply that broke; None where it said nothing."""
    if reply is None:
        return None
    usage = finish(reply.fold).usage
    found = find_open(draft.past, reply.request_id)
    return None if usage == NO_USAGE or found is None else priced(usage, profile_called(found.request, cfg))


def too_large(reply: LiveReply) -> Problem:
    """The Problem of a reply that is longer than it may be."""
    message = f"The reply was longer than {reply.limit_bytes:,} bytes and was cut off. Ask for less at once, or raise limits.reply_bytes."
    return model_problem("reply-too-large", message)
