"""A run that is killed at its nth act, for every n, and gone on with: a program of its own, since it forks and kills what it forked.

Prints one JSON object for each n: what was written to the world, how the journal began before and went on after, and how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import final

from attrs import evolve
from typing_extensions import override

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Decided, ProjectConfig, load, run
from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import Resumed, UserSaid
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.answers import ProcessEnded, StreamEnded
from turnfold.core.world.requests import CallModel, RunProcess
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.ports import Human, Journal, Kept, Models, Processes
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

NUMBER = JsonObject.of(type="object", properties=JsonObject.of(n=JsonObject.of(type="integer")), required=("n",))
BASE = Config(model="scripted/model", providers=(SCRIPTED,), output=NUMBER)
CFG = ChatConfig(ProjectConfig(BASE), workspace="/w", conversation="c")
MOST = 200


@final
class Fuse:
    """Kills this process at its ``left``th act; never where it is 0."""

    def __init__(self, left: int) -> None:
        self._left = left

    def burn(self) -> None:
        """One act more."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@final
class Replying(Models):
    """A model that goes by what it was told: no JSON, then a call, then what it has to answer."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        return cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        said = sum(message["role"] == "assistant" for message in json.loads(body)["messages"])
        call = chat_stream("", (RawCall("shell", '{"command": "make install"}'),))
        reply = (chat_stream("It is three."), call, chat_stream('{"n": 3}'))[min(said, 2)]
        self._fuse.burn()
        scope.emit(reply[: len(reply) // 2])
        self._fuse.burn()
        scope.emit(reply[len(reply) // 2 :])
        self._fuse.burn()
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


@final
class Acting(Processes):
    """Commands that leave a line in a file."""

    def __init__(self, done: Path, fuse: Fuse) -> None:
        self._done = done
        self._fuse = fuse

    @override
    def run(self, request: RunProcess, scope: Scope) -> ProcessEnded | Problem:
        self._fuse.burn()
        with self._done.open("a", encoding="utf-8") as file:
            file.write(f"{request.script}\n")
        self._fuse.burn()
        return ProcessEnded(exit_code=0, output="built", cwd="/w")


@final
class Editing(Human):
    """A person who has something else done than the model wanted."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    @override
    def decide(self, question: Question) -> Decided | None:
        self._fuse.burn()
        return Decided(question.request_id, allowed=True, arguments=JsonObject.of(command="make test"))


@final
class Fused(Journal):
    """A journal whose process may die before an append and after it."""

    def __init__(self, journal: SqliteJournal, fuse: Fuse) -> None:
        self._journal = journal
        self._fuse = fuse

    @override
    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        self._fuse.burn()
        self._journal.append(conversation, records)
        self._fuse.burn()

    @override
    def load(self, conversation: str) -> tuple[Event, ...]:
        return self._journal.load(conversation)

    @override
    def keep(self, digest: str, cfg: ChatConfig) -> None:
        self._journal.keep(digest, cfg)

    @override
    def config(self, digest: str) -> ChatConfig:
        return self._journal.config(digest)

    @override
    def find(self) -> tuple[Kept, ...]:
        return self._journal.find()


def world_of(folder: Path, fuse: Fuse, journal: SqliteJournal) -> World:
    """A world of which every act burns ``fuse``."""
    ports = Replying(fuse), Acting(folder / "done", fuse), Editing(fuse), Fused(journal, fuse)
    return evolve(fake_world(), models=ports[0], processes=ports[1], human=ports[2], journal=ports[3])


def begun(folder: Path, n: int) -> bool:
    """Whether the run was killed at its ``n``th act, before it was over."""
    child = os.fork()
    if child == 0:
        journal = SqliteJournal(folder / "journal.sqlite3")
        run("how many?", BUILTIN_TOOLS, CFG, world_of(folder, Fuse(n), journal))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def gone_on(folder: Path) -> dict[str, object]:
    """The run gone on with in this process, and how it ended."""
    journal = SqliteJournal(folder / "journal.sqlite3")
    before = journal.load("c") if journal.find() else ()
    world = world_of(folder, Fuse(0), journal)
    said = UserSaid("how many?") if not before or load(before).past.turn is None else Resumed()
    result = run(said, BUILTIN_TOOLS, CFG, world, state=load(before))
    after = journal.load("c")
    journal.close()
    done = folder / "done"
    return {
        "done": done.read_text(encoding="utf-8").splitlines() if done.exists() else [],
        "kept": [encode(EVENT, event) for event in before] == [encode(EVENT, event) for event in after[: len(before)]],
        "events": [encode(EVENT, event) for event in after],
        "output": None if not isinstance(result.output, JsonObject) else dict(result.output),
    }


def main(folder: Path) -> None:
    """Every n, until a run is over before its nth act."""
    for n in range(1, MOST):
        here = folder / str(n)
        here.mkdir()
        if not begun(here, n):
            return
        print(json.dumps(gone_on(here)), flush=True)  # noqa: T201 - this is its output


if __name__ == "__main__":
    main(Path(sys.argv[1]))
