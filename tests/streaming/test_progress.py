"""What tools print while they run: shown as it comes, by commands, Python and functions, masked, and never kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from tests.shell.support import Fifo
from tests.streaming.support import CFG, GatedModels, gated_world, journaled
from turnfold import BUILTIN_TOOLS, Caller, ToolSpec, World, real_world, tool, with_functions
from turnfold.core.agent.effects import Effect, Progress, Publish
from turnfold.core.codec.codec import EVENT, encode
from turnfold.core.json import JsonObject, dumps
from turnfold.core.llm.reply import RawCall
from turnfold.core.stream import items
from turnfold.core.stream.items import Item
from turnfold.shell.folders import Folders
from turnfold.shell.run import run
from turnfold.shell.streaming.streamed import run_streamed
from turnfold.testing.fakes import FakeSecrets
from turnfold.testing.wire import chat_stream


def progress_of(told: list[Item]) -> str:
    return "".join(item.text for item in told if isinstance(item, items.ToolProgress))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("shell", JsonObject.of(command="echo first; read line <fifo; echo second")),
        ("python", JsonObject.of(code="print('first')\nopen('fifo').readline()\nprint('second')")),
    ],
)
def test_output_is_told_as_it_comes_and_the_whole_of_it_at_the_end(tmp_path: Path, name: str, arguments: JsonObject) -> None:
    fifo = Fifo(tmp_path)
    folders = Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")
    with real_world(folders=folders) as real:
        world = evolve(real, models=GatedModels((chat_stream("", (RawCall(name, dumps(arguments)),)),)))
        told: list[Item] = []
        for item in run_streamed("go", BUILTIN_TOOLS, evolve(CFG, workspace=str(tmp_path)), world):
            told.append(item)
            if isinstance(item, items.ToolProgress) and progress_of(told) == "first\n":
                (tmp_path / "fifo").write_text("go on\n")  # only now
        fifo.close()
        assert "first\nsecond\n".startswith(progress_of(told))  # the last of it may be told by the answer alone
        (output,) = (item for item in told if isinstance(item, items.ToolOutput))
        assert output.text == "first\nsecond"
        assert "Progress" not in "".join(encode(EVENT, event) for event in journaled(world))


def functions() -> tuple[World, tuple[ToolSpec, ...]]:
    @tool
    def steps(caller: Caller) -> str:
        caller.progress("one ")
        caller.progress("\x1b[31mtwo\x1b[0m with s3cret-val")
        caller.progress("ue-of-mine, \x1b")
        caller.progress("[1mthree")
        return "done"

    @tool
    async def waits(caller: Caller) -> str:
        for word in ("one ", "two ", "three"):
            caller.progress(word)
            await asyncio.sleep(0)
        return "done"

    world = gated_world((chat_stream("", (RawCall("steps", "{}"), RawCall("waits", "{}"))),))
    world = evolve(world, secrets=FakeSecrets((("MY_KEY", "s3cret-value-of-mine"),)))
    return with_functions(world, steps, waits), (steps.spec, waits.spec)


def test_a_function_tells_its_progress_without_secrets_and_escapes() -> None:
    world, specs = functions()
    told: dict[str, str] = {}

    def watch(effect: Effect) -> None:
        if isinstance(effect, Publish) and isinstance(effect.what, Progress):
            told[str(effect.what.request_id)] = told.get(str(effect.what.request_id), "") + effect.what.text

    run("go", specs, CFG, world, watch=watch)
    assert told == {"1.1.0.0": "one two with [secret MY_KEY], three", "1.1.1.0": "one two three"}


def test_progress_of_an_async_function_on_the_caller_s_loop_is_told_while_it_runs() -> None:
    async def on_a_loop() -> str:
        gate = asyncio.Event()

        @tool
        async def waits(caller: Caller) -> str:
            caller.progress("begun")
            await gate.wait()
            return "done"

        world = with_functions(gated_world((chat_stream("", (RawCall("waits", "{}"),)),)), waits, loop=asyncio.get_running_loop())
        told: list[Item] = []
        async for item in run_streamed("go", (waits.spec,), CFG, world):
            told.append(item)
            if isinstance(item, items.ToolProgress):
                gate.set()
        return progress_of(told)

    assert asyncio.run(asyncio.wait_for(on_a_loop(), 20)) == "begun"


def test_a_flood_is_bounded_and_its_end_is_in_the_answer() -> None:
    @tool
    def floods(caller: Caller) -> str:
        for _ in range(2_000):
            caller.progress("x" * 1_000)
        return "done"

    world = with_functions(gated_world((chat_stream("", (RawCall("floods", "{}"),)),)), floods)
    stream = run_streamed("go", (floods.spec,), CFG, world)
    late = stream.join()
    stream.result()
    told = list(late)
    assert len(progress_of(told)) <= 16_000
    assert any(isinstance(item, items.ToolOutput) and item.text == "done" for item in told)
