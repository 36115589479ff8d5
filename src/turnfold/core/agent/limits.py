"""Limits: what ends a turn before its time, as pure decisions; nothing here is ever an exception.

Turns, tokens, money and model calls are judged before a model call is opened, since nothing else spends them. Seconds are
judged then, too, and on whatever else reaches the conversation while a reply streams or tools run: the turn is then
interrupted, as a person does it, and ends with the limit as its reason. A driver wakes at ``next_deadline``.

One model call has seconds, too (``limits.request_s``): when they are over, it has failed as one whose provider fell silent, and the turn
goes on with what helps then. All turns of a conversation have seconds together (``limits.conversation_s``); what a person has done by a
command is never ended by these.

The seconds of a turn are those from its beginning, without those in which it was *paused*: all that was open were questions to
people. ``apply`` counts these from the times of the events (``Turn.waited_ms``), so a replay counts the same.
"""

from __future__ import annotations

import math

from turnfold.core.agent.ids import depth_of
from turnfold.core.agent.state import Opened, Past, Status, Turn, effective, open_requests
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.models import Located, full_name, generations_of, profile_of
from turnfold.core.config.values import ModelProfile
from turnfold.core.problem import Problem, caller_problem, world_problem
from turnfold.core.world.requests import CallModel, StartChild

FAR_MS = 1e15  # some 30,000 years: a longer limit is none


def limit_reached(past: Past, turn: Turn, cfg: ChatConfig, profile: ModelProfile, at_ms: int) -> Problem | None:
    """The limit that forbids ``turn`` another call of the model of ``profile``, as a Problem that says how to go on; None where none does."""
    limits, usage = cfg.limits, past.usage
    used = usage.input_tokens + usage.output_tokens
    most = generations_of(cfg, profile)
    if turn.generation > most + turn.answering:
        return limit_problem("generations", f"The turn was ended after {most} model calls (limits.generations).", anew=True)
    if limits.turns is not None and turn.number > limits.turns:
        return limit_problem("turns", f"The conversation has had {turn.number - 1} of {limits.turns} turns (limits.turns).")
    if limits.tokens is not None and used >= limits.tokens:
        return limit_problem("tokens", f"The conversation has used {used:,} tokens of {limits.tokens:,} (limits.tokens).")
    if limits.usd is not None and usage.cost_usd >= limits.usd and not _free(profile):
        return limit_problem("usd", f"The conversation has cost ${usage.cost_usd:.4f} of ${limits.usd:.4f} (limits.usd).")
    return time_over(past, cfg, at_ms)


def limit_problem(name: str, message: str, *, anew: bool = False) -> Problem:
    """The Problem of the limit ``name``; ``anew``: it counts within a turn, so another turn is a way to go on.

    >>> limit_problem("turns", "That was all.").message
    'That was all. Raise it with  /config limits.turns = NUMBER  or begin another conversation.'
    """
    # A conversation keeps the settings that it began with, so raising the limit in a file would not help it.
    change = f"/config limits.{name} = NUMBER"
    way = (
        f"Say something to let it go on, or raise it with  {change}" if anew else f"Raise it with  {change}  or begin another conversation."
    )
    return caller_problem("limit", f"{message} {way}", f"$.limits.{name}")


def is_of(problem: Problem, name: str) -> bool:
    """Whether ``problem`` is that of the limit ``name``.

    >>> is_of(limit_problem("turns", "That was all."), "turns")
    True
    """
    return (problem.code, problem.path) == ("limit", f"$.limits.{name}")


def time_over(past: Past, cfg: ChatConfig, at_ms: int) -> Problem | None:
    """The Problem of a turn whose seconds, or those of the conversation, are over at ``at_ms``; None while they are not."""
    turn, limits = past.turn, cfg.limits
    deadline = turn_deadline(past, cfg)
    if turn is None or deadline is None or at_ms < deadline:
        return None
    took_ms = at_ms - turn.began_ms - turn.waited_ms
    if limits.turn_s is not None and took_ms >= _ms(limits.turn_s):
        message = (
            f"The turn was ended after {took_ms / 1000:,.1f} seconds of {limits.turn_s:,.1f} (limits.turn_s), the waits for you apart."
        )
        return limit_problem("turn_s", message, anew=True)
    worked_s, most_s = (past.worked_ms + took_ms) / 1000, limits.conversation_s or 0.0
    message = f"The conversation's turns took {worked_s:,.1f} seconds of {most_s:,.1f} (limits.conversation_s), the waits for you apart."
    return limit_problem("conversation_s", message)


def turn_deadline(past: Past, cfg: ChatConfig) -> int | None:
    """When the running turn's seconds, or the conversation's, are over; None where they are not limited, and while it waits for a person, or
    for its end.
    """
    turn, limits = past.turn, cfg.limits
    if turn is None or turn.interrupted or turn.paused_ms is not None:
        return None
    begun_ms = turn.began_ms + turn.waited_ms
    own = None if limits.turn_s is None else begun_ms + _ms(limits.turn_s)
    if limits.conversation_s is None or (turn.commanded and not turn.summary):
        return own
    left_ms = begun_ms + _ms(limits.conversation_s) - past.worked_ms
    return left_ms if own is None else min(own, left_ms)


def call_deadline(opened: Opened, cfg: ChatConfig) -> int | None:
    """When a model call that is under way has failed, whatever comes of it; None where that is not limited, and for any other request."""
    most_s = cfg.limits.request_s
    if most_s is None or not isinstance(opened.request, CallModel) or opened.outcome is not None:
        return None
    return opened.since_ms + _ms(most_s)


def call_over(opened: Opened, cfg: ChatConfig) -> Problem:
    """The Problem of a model call that took too long."""
    name = opened.request.provider.name if isinstance(opened.request, CallModel) else "The provider"
    message = f"{name} did not end its reply within {cfg.limits.request_s or 0.0:g} s (limits.request_s): try again, or raise that limit."
    return world_problem("time-out", message)


def grace_deadline(opened: Opened, cfg: ChatConfig) -> int:
    """When ``opened``, which was told to stop, counts as lost; a child has its own requests to wait for first, and those of its children."""
    limits = cfg.limits
    below = max(limits.child_depth - depth_of(cfg.conversation), 1) if isinstance(opened.request, StartChild) else 0
    return opened.since_ms + _ms(limits.grace_s * (1 + below))


def next_deadline(past: Past, cfg: ChatConfig) -> int | None:
    """When the input ``TimePassed`` will say something new, if nothing else comes before; None where it never does.

    ``cfg`` is what the conversation was started with. Good as long as ``past`` is the same value.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> next_deadline(Past(), ChatConfig(ProjectConfig(Config()))) is None
    True
    """
    now = effective(cfg, past)
    open_now = tuple(open_requests(past))
    graces = [grace_deadline(each, now) for each in open_now if each.status is Status.CANCELLING]
    calls = () if now.limits.request_s is None else (call_deadline(each, now) for each in open_now)
    return min((each for each in (turn_deadline(past, now), *graces, *calls) if each is not None), default=None)


def price_missing(model: Located, cfg: ChatConfig) -> Problem | None:
    """The Problem of a limit of money with a model whose prices aren't known: such a limit can't be kept. Else None."""
    if cfg.limits.usd is None:
        return None
    name = f"{model.provider.name}/{model.model}"
    profile = profile_of(cfg, name)
    if profile.input_usd is not None and profile.output_usd is not None:
        return None
    message = (
        f"limits.usd can't be kept, since the prices of {name} aren't known: write them to a config file, as "
        f'input_usd and output_usd (for a million tokens) under [models."{full_name(cfg, name)}"], or take limits.usd away.'
    )
    return caller_problem("no-price", message, "$.limits.usd")


def _free(profile: ModelProfile) -> bool:
    return not profile.input_usd and not profile.output_usd


def _ms(seconds: float) -> int:
    return math.ceil(min(FAR_MS, max(seconds * 1000, 0.0)))  # what is no number is far, too
