"""G6 with real workers, jobs and journals: what a conversation keeps, starts and hands on is its own, its children's theirs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import evolve
from typing_extensions import override

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, ProjectConfig, Rule, RunResult, Verdict, load, real_world, run_async
from turnfold.core.agent.ids import RequestId, child_id
from turnfold.core.config.models import find_provider
from turnfold.core.config.values import Provider
from turnfold.core.conversation.messages import ToolMessage
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem
from turnfold.core.world.answers import StreamEnded
from turnfold.core.world.requests import CallModel
from turnfold.shell.folders import Folders
from turnfold.shell.ports import Models
from turnfold.shell.scope import Scope
from turnfold.testing.wire import chat_stream

SCRIPTED = Provider(name="scripted", base_url="scripted:")
LIST: tuple[str, Mapping[str, object]] = ("jobs", {})
KNOWS = ("python", {"code": "print(sorted(name for name in globals() if name.startswith('mine')))"})


def calls(*made: tuple[str, Mapping[str, object]]) -> bytes:
    return chat_stream("", tuple(RawCall(name, json.dumps(arguments)) for name, arguments in made))


def script(who: str) -> Mapping[str, tuple[bytes, ...]]:
    """What the model does in the conversation of ``who``, and in its child."""
    begin = (
        ("todo", {"changes": f"add {who}"}),
        ("python", {"code": f"mine_{who} = 1"}),
        ("jobs", {"do": f"start echo {who}; exec sleep 600"}),
    )
    return {
        f"{who} go": (calls(*begin), calls(("subagent", {"task": f"{who} work"})), calls(("todo", {}), KNOWS, LIST), chat_stream("Done.")),
        f"{who} work": (calls(("todo", {}), KNOWS, LIST), chat_stream(f"The summary of {who}.")),
    }


@final
class Scripted(Models):
    """Replies by what the person said first, and by how many replies there were."""

    def __init__(self) -> None:
        self.replies = {**script("A"), **script("B")}

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        found = find_provider(cfg)
        return found if isinstance(found, Problem) else cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        messages = json.loads(body)["messages"]
        said = next(message["content"] for message in messages if message["role"] == "user")
        scope.emit(self.replies[said][sum(message["role"] == "assistant" for message in messages)])
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


def told(log: object) -> list[str]:
    return [message.text for message in log if isinstance(message, ToolMessage)]  # type: ignore[attr-defined]  # a log is a sequence


def test_g6_lists_workers_jobs_and_summaries_are_of_their_conversation(tmp_path: Path) -> None:
    base = Config(model="scripted/m", providers=(SCRIPTED,), rules=(Rule(Verdict.ALLOW),))
    cfg = ChatConfig(ProjectConfig(base), workspace=str(tmp_path))
    folders = Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")
    with real_world(folders=folders) as real:
        world = evolve(real, models=Scripted())

        async def both() -> list[RunResult]:
            return await asyncio.gather(*(run_async(f"{who} go", BUILTIN_TOOLS, evolve(cfg, conversation=who), world) for who in "AB"))

        results = asyncio.run(both())
        for who, other, result in zip("AB", "BA", results, strict=True):
            parent = told(result.state.past.log)
            started = re.search(r"Job (\S+) was started", parent[2])
            assert started is not None, parent
            todo, _, _, summary, todo_again, knows, listed = parent
            assert todo == todo_again == f"1. [ ] {who}"
            assert summary.startswith(f"The summary of {who}.\n")
            assert knows == f"['mine_{who}']"
            assert started[1] in listed
            assert f"echo {other}" not in listed
            inner = told(load(world.journal.load(child_id(who, RequestId(1, 2, 0, 0)))).past.log)
            assert inner == ["The list is empty.", "[]", "There are no background jobs."]
