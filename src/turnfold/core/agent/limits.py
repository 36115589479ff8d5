"""Limits: what ends a turn before its time, as pure decisions; nothing here is ever an exception.

Turns, tokens, money and model calls are judged before a model call is opened, since nothing else spends them. Seconds are
judged then, too, and on whatever else reaches the conversation while a reply streams or tools run: the turn is then
interrupted, as a person does it, and ends with the limit as its reason. A driver wakes at ``next_deadline``.

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
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.world.requests import StartChild

FAR_MS = 1e15  # some 30,000 years: a longer limit is none


def limit_reached(past: Past, turn: Turn, cfg: ChatConfig, profile: ModelProfile, at_ms: int) -> Problem | None:
    """The limit that forbids ``turn`` another call of the model of ``profile``, as a Problem that says how to go on; None where none does."""
    limits, usage = cfg.limits, past.usage
    used = usage.input_tokens + usage.output_tokens
    most = generations_of(cfg, profile)
    if turn.generation > most:
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


def time_over(past: Past, cfg: ChatConfig, at_ms: int) -> Problem | None:
    """The Problem of a turn whose seconds are over at ``at_ms``; None while they are not."""
    turn, most_s = past.turn, cfg.limits.turn_s
    deadline = turn_deadline(past, cfg)
    if turn is None or most_s is None or deadline is None or at_ms < deadline:
        return None
    took_s = (at_ms - turn.began_ms - turn.waited_ms) / 1000
    message = f"The turn was ended after {took_s:,.1f} seconds of {most_s:,.1f} (limits.turn_s), the waits for you apart."
    return limit_problem("turn_s", message, anew=True)


def turn_deadline(past: Past, cfg: ChatConfig) -> int | None:
    """When the running turn's seconds are over; None where they are not limited, and while it waits for a person, or for its end."""
    turn, most_s = past.turn, cfg.limits.turn_s
    if turn is None or most_s is None or turn.interrupted or turn.paused_ms is not None:
        return None
    return turn.began_ms + turn.waited_ms + _ms(most_s)


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
    over = turn_deadline(past, now)
    graces = [grace_deadline(each, now) for each in open_requests(past) if each.status is Status.CANCELLING]
    return min(graces if over is None else [*graces, over], default=None)


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
