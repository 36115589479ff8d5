"""``run_streamed``: a run that goes on beside its readers, by the plain driver, in a thread of its own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Executor
from enum import Enum
from functools import partial
from threading import Thread, current_thread

from turnfold.core.agent.inputs import Input
from turnfold.core.agent.state import ChatState, effective
from turnfold.core.config.layers import ChatConfig
from turnfold.core.tools.spec import ToolSpec
from turnfold.shell.desk import InputRule, RunResult, Watch, unwatched
from turnfold.shell.run import run
from turnfold.shell.scope import Scope
from turnfold.shell.streaming.daemons import Daemons
from turnfold.shell.streaming.ledger import Ledger
from turnfold.shell.streaming.reader import Reader
from turnfold.shell.streaming.stream import Hold, Stream
from turnfold.shell.world import World

EXIT_S = 2.0  # that the end of the process waits for a run that it ended


class Leaving(Enum):
    """What becomes of a run when its last reader leaves."""

    NOW = "now"  # it is interrupted
    AFTER_TURN = "after-turn"  # it ends with the turn
    NEVER = "never"  # it goes on, and the process does not end before it


def run_streamed(
    said: str | Input,
    tools: tuple[ToolSpec, ...],
    cfg: ChatConfig,
    world: World,
    *,
    state: ChatState | None = None,
    leaving: Leaving = Leaving.NOW,
    watch: Watch = unwatched,
    executor: Executor | None = None,
    rules: tuple[InputRule, ...] = (),
) -> Stream:
    """As :func:`run`, begun at once in a thread of its own; the stream is its first reader.

    Requests of one step are performed side by side, on ``executor``, or on threads of the run's own, at most ``limits.side_by_side`` at
    once. ``watch`` and ``rules`` are called in the run's thread; what they raise, readers are raised at the end.

    >>> from turnfold.core.config.layers import Config, ProjectConfig
    >>> from turnfold.core.stream.items import TextDelta
    >>> from turnfold.testing.fake_world import fake_world
    >>> from turnfold.testing.wire import chat_stream
    >>> world = fake_world(replies=(chat_stream("Hello."),))
    >>> with run_streamed("Hi.", (), ChatConfig(ProjectConfig(Config())), world) as stream:
    ...     "".join(item.text for item in stream if isinstance(item, TextDelta))
    'Hello.'
    """
    conversation = ChatState() if state is None else state
    ledger, hold = Ledger(conversation, Scope(), watch), Hold()
    aside = executor or Daemons(effective(cfg, conversation.past).limits.side_by_side)
    begun = partial(run, said, tools, cfg, world, state=conversation, executor=aside, rules=rules)
    _begin(Thread(target=_drive, args=(begun, ledger), name="turnfold-run", daemon=leaving is Leaving.NOW), ledger, hold, leaving)
    return Stream(ledger, Reader(ledger, cfg, None), cfg, world.journal, hold)


def _drive(begun: Callable[..., RunResult], ledger: Ledger) -> None:
    try:
        result = begun(watch=ledger.watch, seen=ledger.seen, scope=ledger.scope)
    except BaseException as error:  # noqa: BLE001 - it is raised again where the run is read
        ledger.ended(None, error)
    else:
        ledger.ended(result)


def _begin(thread: Thread, ledger: Ledger, hold: Hold, leaving: Leaving) -> None:
    """Begin the run, which hears of it when nobody holds it any more, be it that the process ends."""
    if leaving is Leaving.NOW:
        weakref.finalize(ledger, _joined, thread)  # at the process's end the next one comes first: the newest does
        weakref.finalize(hold, ledger.scope.cancel)
    elif leaving is Leaving.AFTER_TURN:
        weakref.finalize(hold, _left, ledger).atexit = False
    thread.start()


def _joined(thread: Thread) -> None:
    if thread is not current_thread():
        thread.join(EXIT_S)


def _left(ledger: Ledger) -> None:
    ledger.leaving = True
