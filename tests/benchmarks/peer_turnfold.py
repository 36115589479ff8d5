"""turnfold as a subject of the comparison: ``run_async`` with a port on the loop, tool turns kept by the SQLite journal."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import final

from attrs import evolve
from typing_extensions import override

from tests.benchmarks.cost_of_history import long_state
from tests.benchmarks.peer_measures import Subject, tell
from tests.benchmarks.scripted import CFG, WEATHER, Script, scripted_world, words
from turnfold.core.agent.effects import Effect, Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.live import Live
from turnfold.core.agent.state import ChatState
from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.values import Rule, Verdict
from turnfold.core.llm.reply import RawCall
from turnfold.core.tools.builtin import BUILTIN_TOOLS
from turnfold.shell.desk import RunResult
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import Journal, Kept
from turnfold.shell.run_async import run_async
from turnfold.testing.wire import chat_stream

SAVE = tuple(tool for tool in BUILTIN_TOOLS if tool.name == "save")
ASKED = chat_stream("I write it.", (RawCall("save", '{"path":"a.txt","content":"hello"}'),))


@final
class Nowhere(Journal):
    """A journal that keeps nothing: the comparison's histories begin in the middle."""

    @override
    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        """Forget it."""

    @override
    def load(self, conversation: str) -> tuple[Event, ...]:
        return ()

    @override
    def keep(self, digest: str, cfg: ChatConfig) -> None:
        """Forget it."""

    @override
    def config(self, digest: str) -> ChatConfig:
        raise KeyError(digest)

    @override
    def find(self) -> tuple[Kept, ...]:
        return ()


def subject(folder: Path) -> Subject:
    """What is measured; the journal is in ``folder``."""
    numbers = itertools.count()
    journal = SqliteJournal(folder / "journal.db")

    def fresh() -> ChatConfig:
        return evolve(CFG, conversation=f"c{next(numbers)}")

    async def run(rounds: int) -> RunResult:
        return _good(await run_async("go", (WEATHER,), fresh(), scripted_world(Script(rounds), journal)))

    async def stream(deltas: int) -> int:
        seen: list[Effect] = []
        world = scripted_world(Script(0, words(deltas)), Nowhere())
        _good(await run_async("go", (), fresh(), world, watch=lambda effect: None if isinstance(effect, Record) else seen.append(effect)))
        return len(seen)

    async def text(state: ChatState) -> ChatState:
        return _good(await run_async("go on", (), CFG, scripted_world(Script(0), Nowhere()), state=state)).state

    async def history(messages: int) -> ChatState:
        return await text(evolve(long_state(messages), live=Live()))  # its messages are encoded once, with the first turn

    async def park(number: int) -> ChatState:
        cfg = evolve(fresh(), rules=(Rule(Verdict.ASK),))
        state = (await run_async(f"write file {number}", SAVE, cfg, scripted_world(Script(0, (ASKED,)), Nowhere()))).state
        assert not state.idle
        return state

    return Subject(run=run, stream=stream, history=history, text=text, park=park)


def _good(result: RunResult) -> RunResult:
    assert result.problem is None, result.problem
    return result


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        tell(subject(Path(name)))
