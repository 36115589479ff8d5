"""Doing what takes the whole journal, which a state does not hold: keeping a fork, telling a trace."""

from __future__ import annotations

from typing import assert_never

from turnfold.core.agent.effects import KeepFork, Notice, Publish, Recall, Record, TellTrace
from turnfold.core.config.layers import ChatConfig
from turnfold.core.journal import fork
from turnfold.core.problem import Problem, caller_problem
from turnfold.core.trace.fold import trace_of
from turnfold.core.trace.text import trace_text
from turnfold.shell.ports import JournalError
from turnfold.shell.world import World


def recalled(recall: Recall, cfg: ChatConfig, world: World) -> Publish:
    """What the person is to see of ``recall``, done for the conversation of ``cfg``: a Notice, or the Problem that it failed with.

    The conversation itself is only read. A fork is there whole, or not at all.
    """
    try:
        match recall.what:
            case KeepFork(upto, name):
                return Publish(_forked(upto, name, cfg, world))
            case TellTrace(turn):
                return Publish(_traced(turn, cfg, world))
            case _ as never:
                assert_never(never)
    except JournalError as error:
        return Publish(error.problem)


def _forked(upto: int, name: str, cfg: ChatConfig, world: World) -> Notice | Problem:
    prefix = world.journal.load(cfg.conversation)[: max(upto, 0)]
    if not prefix or len(prefix) < upto:
        return caller_problem("nothing-to-fork", "There is nothing of this conversation in the journal yet that a fork could begin with.")
    conversation = world.clock.new_id()
    forked = fork(prefix, conversation, name, cfg, world.clock.now_ms())
    world.journal.keep(forked.digest, forked.cfg)
    world.journal.append(conversation, tuple(Record(number, event) for number, event in enumerate(forked.events)))
    called = f", called {name}" if name else ""
    return Notice(f"Forked as {conversation}{called}. Go on with it:  turnfold --resume {conversation}")


def _traced(turn: int, cfg: ChatConfig, world: World) -> Notice | Problem:
    trace = trace_of(world.journal.load(cfg.conversation))
    if turn and str(turn) not in {each.id for each in trace.turns}:
        return caller_problem("no-such-turn", f"There is no turn {turn}: there are {len(trace.turns)}.")
    return Notice(trace_text(trace, turn))
