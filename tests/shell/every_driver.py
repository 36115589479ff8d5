"""A program: one scripted conversation by every driver, its journals printed as JSON, a line a driver. Run by test_python_versions.

It needs turnfold and what turnfold needs, and nothing else. Where the parser of scripts was made for another Python, the program does
without it: no script is read here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

try:
    import tree_sitter  # noqa: F401 - whether it can be
except ImportError:
    absent = ModuleType("tree_sitter")
    for name in ("Language", "Node", "Parser", "Tree"):
        setattr(absent, name, type(name, (), {"__init__": lambda self, *given: None}))
    sys.modules["tree_sitter"] = absent

from attrs import evolve

from turnfold import BUILTIN_TOOLS, ChatConfig, ChatState, CommandGiven, Config, ProjectConfig, Rule, Verdict, World, run, run_async
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.llm.reply import RawCall
from turnfold.shell.desk import RunResult
from turnfold.testing.fake_world import SCRIPTED, FakeAsyncModels, fake_world
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(
    ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,))), workspace="/w", conversation="c", rules=(Rule(Verdict.ALLOW),)
)
CALLS = (
    RawCall("read", '{"path":"a.txt"}'),
    RawCall("save", '{"path":"b.txt","content":"é😀\\n"}'),
    RawCall("read", '{"path":"none.txt"}'),
    RawCall("nope", "{"),
)
REPLIES = (
    chat_stream("I look.", CALLS, reasoning="Hm."),
    chat_stream("It says “alpha”. é😀"),
    chat_stream("", (RawCall("complete", '{"text":"All is done.","result":{"n":[1,2.5,null]}}'),)),
    chat_stream("Again."),
)
SAID: tuple[Any, ...] = ("go on", "and then?", CommandGiven("/undo"), CommandGiven("/rename é"), "once more")


def world(*, on_loop: bool = False) -> World:
    made = fake_world(() if on_loop else REPLIES, {"/w/a.txt": "alpha"})
    return evolve(made, async_models=FakeAsyncModels(REPLIES)) if on_loop else made


def plain(said: Any, state: ChatState, world: World) -> RunResult:
    return run(said, BUILTIN_TOOLS, CFG, world, state=state)


def aside(said: Any, state: ChatState, world: World) -> RunResult:
    with ThreadPoolExecutor(1) as executor:
        return run(said, BUILTIN_TOOLS, CFG, world, state=state, executor=executor)


def on_a_loop(said: Any, state: ChatState, world: World) -> RunResult:
    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(run_async(said, BUILTIN_TOOLS, CFG, world, state=state, executor=executor))


def journal(driver: Callable[[Any, ChatState, World], RunResult], world: World) -> list[Any]:
    """What is kept of the conversation, without times."""
    state = ChatState()
    for said in SAID:
        state = driver(said, state, world).state
    return [json.loads(encode(EVENT, event)) | {"at_ms": 0} for event in world.journal.load("c")]


def without_times(value: Any) -> Any:
    """``value`` without what only the clock says."""
    if isinstance(value, dict):
        return {name: 0 if name.endswith("_ms") else without_times(each) for name, each in value.items()}
    return [without_times(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for driver, made in ((plain, world()), (aside, world()), (on_a_loop, world()), (on_a_loop, world(on_loop=True))):
        sys.stdout.write(json.dumps(without_times(journal(driver, made))) + "\n")
