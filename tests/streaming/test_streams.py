"""Streams (SCENARIOS O1 to O10, F7, F9, G8, G9, G14): a stream is a reader of a run, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from pathlib import Path

import pytest
from attrs import evolve

from tests.laws.comparison import mutable_parts, without_times
from tests.shell.support import descriptors
from tests.streaming.support import (
    CFG,
    PATIENCE_S,
    Gate,
    GatedModels,
    Tools,
    assert_ended,
    called,
    gated_world,
    journaled,
    pieces,
)
from turnfold import ChatConfig, CommandGiven, ToolMessage, World, load
from turnfold.core.agent.events import CallClosed, Reason, RequestClosed, RequestOpened, TurnEnded
from turnfold.core.codec.stream import item_event, item_line
from turnfold.core.stream import items
from turnfold.core.stream.follow import follow
from turnfold.core.stream.items import Item
from turnfold.core.stream.position import START
from turnfold.core.trace.fold import trace_of
from turnfold.core.world.requests import CallPython
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.streaming.stream import Stream
from turnfold.shell.streaming.streamed import Leaving, run_streamed
from turnfold.testing.fake_world import fake_world
from turnfold.testing.wire import chat_stream

PROJECT = Path(__file__).resolve().parents[2]
HELLO = pieces(chat_stream("Hello, this is a reply.", reasoning="Let me think."))


def text_of(told: list[Item]) -> str:
    return "".join(item.text for item in told if isinstance(item, items.TextDelta))


def kinds(told: list[Item]) -> list[str]:
    return [type(item).__name__ for item in told]


def ended(stream: Stream) -> Reason | None:
    result = stream.result(PATIENCE_S)
    return None if result.ended is None else result.ended.reason


def runs() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("turnfold")]


def assert_no_thread_is_left() -> None:
    for thread in runs():
        thread.join(PATIENCE_S)
    assert runs() == []


def test_o1_made_in_one_task_read_in_another_closed_in_a_third_and_collected_after_its_loop() -> None:
    traces = []
    for _ in range(2):
        gate = Gate()
        world = gated_world((*HELLO[:4], gate, *HELLO[4:]))

        async def made(world: World) -> Stream:
            return run_streamed("go", (), CFG, world)

        async def read(stream: Stream) -> list[Item]:
            return [await anext(stream) for _ in range(3)]

        async def apart(world: World) -> Stream:
            stream = await asyncio.create_task(made(world))
            assert kinds(await asyncio.create_task(read(stream))) == ["RunStarted", "TurnStarted", "ReplyStarted"]
            return stream

        stream = asyncio.run(apart(world))
        gate.arrived()
        kept = list(islice(iter(stream.join(stream.at)), 1))  # from a plain loop, in another thread than before
        assert isinstance(kept[0], (items.ReasoningDelta, items.TextDelta))
        asyncio.run(stream.aclose())  # on another loop than it was made and read on
        assert ended(stream) is Reason.INTERRUPTED
        assert_ended(world)
        del stream
        gc.collect()
        traces.append(trace_of(map(without_times, journaled(world))))
    assert evolve(traces[0], conversation="") == evolve(traces[1], conversation="")
    assert_no_thread_is_left()


def test_o1_a_stream_collected_after_its_loop_closed_ends_its_run() -> None:
    gate = Gate()
    world = gated_world((*HELLO[:4], gate))

    async def abandoned() -> None:
        stream = run_streamed("go", (), CFG, world)
        while not isinstance(await anext(stream), items.ReplyStarted):
            pass
        held.append((stream, held))  # in a cycle, as a generator's frame is

    held: list[object] = []
    asyncio.run(abandoned())
    gate.arrived()
    held = []
    gc.collect()
    assert_no_thread_is_left()
    assert_ended(world)


def test_o2_after_a_break_nothing_starts_and_closing_takes_milliseconds() -> None:
    tools = Tools()
    world = tools.in_world(gated_world((called("slow", "deaf", "quick"),)))
    stream = run_streamed("go", tools.specs, evolve(CFG, limits=evolve(CFG.limits, side_by_side=1, grace_s=0.0)), world)
    for item in stream:
        if isinstance(item, items.MessageDone):
            tools.slow_gate.arrived()
            break
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 1.0
    assert ended(stream) is Reason.INTERRUPTED
    assert tools.began == ("slow",)
    assert_ended(world)
    assert_no_thread_is_left()


def test_o2_aclose_takes_milliseconds_though_a_tool_does_not_stop() -> None:
    tools = Tools()
    world = tools.in_world(gated_world((called("deaf"),)))

    async def closed() -> Stream:
        stream = run_streamed("go", tools.specs, evolve(CFG, limits=evolve(CFG.limits, grace_s=0.0)), world)
        async with stream:
            async for item in stream:
                if isinstance(item, items.MessageDone):
                    await asyncio.to_thread(tools.deaf_gate.arrived)
                    break
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        return stream

    stream = asyncio.run(closed())
    left = iter(stream)  # what is left can be read after the close
    told = list(takewhile(lambda item: not isinstance(item, items.TurnEnded), left))
    tools.deaf_gate.opened.set()  # it is told as unknown by now, and the turn is over
    told += left
    assert kinds(told)[-2:] == ["ToolOutput", "RunEnded"]
    assert_ended(world)
    assert_no_thread_is_left()


def test_o3_a_consumer_cancelled_in_its_loop_body_ends_the_run_and_what_had_begun_is_recorded() -> None:
    tools = Tools()
    world = tools.in_world(gated_world((called("slow"),)))
    streams: list[Stream] = []

    async def consumed(in_body: asyncio.Event) -> None:
        streams.append(run_streamed("go", tools.specs, CFG, world))
        async for item in streams[0]:
            if isinstance(item, items.MessageDone):
                await asyncio.to_thread(tools.slow_gate.arrived)
                in_body.set()
                await asyncio.Event().wait()

    async def cancelled() -> None:
        in_body = asyncio.Event()
        task = asyncio.create_task(consumed(in_body))
        await in_body.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert ended(streams[0]) is Reason.INTERRUPTED
    assert_ended(world)
    assert any(isinstance(event, RequestOpened) and isinstance(event.request, CallPython) for event in journaled(world))
    assert_no_thread_is_left()


def test_o4_a_time_out_loses_nothing() -> None:
    gates = tuple(Gate() for _ in HELLO)
    world = gated_world([part for pair in zip(gates, HELLO, strict=True) for part in pair])

    async def polled() -> list[Item]:
        told: list[Item] = []
        stream = run_streamed("go", (), CFG, world)
        opened = iter(gates)
        late = 0
        while True:
            try:
                told.append(await asyncio.wait_for(anext(stream), 0.01))
            except TimeoutError:
                late += 1
                if late % 2 == 0:
                    next(opened).opened.set()
            except StopAsyncIteration:
                assert late >= len(gates)
                return told

    told = asyncio.run(polled())
    assert text_of(told) == "Hello, this is a reply."
    assert kinds(told)[-1] == "RunEnded"
    assert {item.at for item in told if isinstance(item, items.MessageDone)}


def test_o5_a_reader_that_never_reads_costs_nothing_and_its_chunks_are_bounded_by_the_text() -> None:
    count = 20_000  # what a chunk costs is what counts: 100,000 are five times that, and take as long
    chunk = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    gate = Gate()

    def replies() -> World:
        return gated_world((*[chunk] * count, gate, b"data: [DONE]\n\n"))

    world = replies()
    tracemalloc.start()
    try:
        stream = run_streamed("go", (), CFG, world)
        readers = [stream.join() for _ in range(20)]
        first = next(stream)
        gate.arrived()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200 * count  # a chunk's piece and its place in the log, and nothing for a reader
    gate.opened.set()
    told = [first, *stream]
    assert text_of(told) == "x" * count
    assert len([item for item in told if isinstance(item, items.TextDelta)]) <= 2  # what came meanwhile is one delta
    assert all(text_of(list(reader)) == "x" * count for reader in readers)


def test_o6_the_run_s_progress_can_be_awaited_in_the_loop_body() -> None:
    async def awaited() -> tuple[list[Item], Reason]:
        told: list[Item] = []
        stream = run_streamed("go", (), CFG, gated_world(HELLO))
        async for item in stream:
            assert (await stream.finished()).ended is not None
            told.append(item)
        ended = (await stream.finished()).ended
        assert ended is not None
        return told, ended.reason

    told, reason = asyncio.run(asyncio.wait_for(awaited(), PATIENCE_S))
    assert text_of(told) == "Hello, this is a reply."
    assert reason is Reason.COMPLETED


def test_o7_each_output_is_told_when_it_comes_and_the_log_keeps_the_order_asked() -> None:
    tools = Tools()
    world = tools.in_world(gated_world((called("slow", "quick"),)))
    tools.quick_gate.opened.set()
    told: list[Item] = []
    for item in run_streamed("go", tools.specs, CFG, world):
        told.append(item)
        if isinstance(item, items.ToolOutput):
            tools.slow_gate.opened.set()  # only now
    assert [item.tool for item in told if isinstance(item, items.ToolOutput)] == ["quick", "slow"]
    closed = [event.slot for event in journaled(world) if isinstance(event, CallClosed)]
    assert closed == [1, 0]
    log = load(journaled(world)).past.log
    assert [message.text for message in log if isinstance(message, ToolMessage)] == ["slow is done", "quick is done"]
    assert_no_thread_is_left()


def test_o8_a_call_is_told_as_complete_when_its_item_is() -> None:
    gate = Gate()
    call = pieces(called("quick"))
    tools = Tools()
    tools.quick_gate.opened.set()
    world = tools.in_world(gated_world((*call[:-1], gate, call[-1])))
    told: list[Item] = []
    for item in run_streamed("go", tools.specs, CFG, world):
        told.append(item)
        if isinstance(item, items.ToolCallComplete):
            gate.arrived()
            assert not any(isinstance(each, items.MessageDone) for each in told)  # the reply is not over
            gate.opened.set()
    assert [item.tool for item in told if isinstance(item, items.ToolCallComplete)] == ["quick"]


def test_o9_what_began_and_did_not_finish_is_recorded_as_such() -> None:
    tools = Tools()
    world = tools.in_world(gated_world((called("deaf"),)))
    stream = run_streamed("go", tools.specs, evolve(CFG, limits=evolve(CFG.limits, grace_s=0.0)), world)
    assert isinstance(next(item for item in stream.join() if isinstance(item, items.MessageDone)), items.MessageDone)
    tools.deaf_gate.arrived()
    stream.close()
    told = []
    for item in stream.join():
        told.append(item)
        if isinstance(item, items.TurnEnded):
            tools.deaf_gate.opened.set()  # it ran on until now, and nobody waited for it
    (output,) = (item for item in told if isinstance(item, items.ToolOutput))
    assert not output.ok
    assert "unknown" in output.text
    outcomes = [str(event.outcome) for event in journaled(world) if isinstance(event, RequestClosed)]
    assert any("UNKNOWN" in outcome for outcome in outcomes)
    assert_no_thread_is_left()


def test_o10_sixty_four_threads_leave_no_descriptor_and_no_thread() -> None:
    def one(_: int) -> str:
        return text_of(list(run_streamed("go", (), CFG, gated_world(HELLO))))

    async def one_async() -> str:
        return text_of([item async for item in run_streamed("go", (), CFG, gated_world(HELLO))])

    assert one(0)
    before = descriptors()
    with ThreadPoolExecutor(64) as executor:
        assert set(executor.map(one, range(64))) == {"Hello, this is a reply."}
        assert set(executor.map(lambda _: asyncio.run(one_async()), range(16))) == {"Hello, this is a reply."}
    assert_no_thread_is_left()
    assert descriptors() == before


def test_f7_a_stream_closed_by_another_task_or_dropped_half_way_cancels_nobody() -> None:
    async def unhurt() -> list[str]:
        gate = Gate()
        stream = run_streamed("go", (), CFG, gated_world((*HELLO[:4], gate)))

        async def reads() -> list[str]:
            seen = [type(item).__name__ async for item in stream]
            for _ in range(5):
                await asyncio.sleep(0)  # unrelated work, at which it would be cancelled
            return seen

        reader = asyncio.create_task(reads())
        await asyncio.to_thread(gate.arrived)
        await asyncio.create_task(stream.aclose())
        dropped = run_streamed("go", (), CFG, gated_world(HELLO))
        await anext(dropped)
        del dropped
        for _ in range(5):
            await asyncio.sleep(0)
        stream.interrupt()
        return await reader

    seen = asyncio.run(unhurt())
    assert seen[-2:] == ["TurnEnded", "RunEnded"]
    assert_no_thread_is_left()


def test_f9_nothing_that_is_handed_in_or_out_can_be_changed() -> None:
    tools = Tools()
    tools.quick_gate.opened.set()
    stream = run_streamed("go", tools.specs, CFG, tools.in_world(gated_world((called("quick"),), HELLO)))
    told = list(stream)
    assert len(told) > 10
    for item in told:
        assert list(mutable_parts(item)) == []
        with pytest.raises(AttributeError):
            item.at = START  # type: ignore[misc]  # that is the point
    assert list(mutable_parts(stream.result().state.past)) == []


def test_g8_after_an_interrupt_a_new_run_starts_at_once_and_hears_nothing_of_the_old_reply() -> None:
    gate = Gate()
    world = gated_world((*HELLO[:6], gate), pieces(chat_stream("The new reply.")))
    first = run_streamed("go", (), CFG, world)
    gate.arrived()
    first.close()
    again = run_streamed("again", (), CFG, world, state=first.result(PATIENCE_S).state)
    told = list(again)
    assert text_of(told) == "The new reply."
    assert [item.turn for item in told if isinstance(item, items.TurnStarted)] == [2]
    whole = list(follow(journaled(world), CFG))
    done = [item for item in whole if isinstance(item, items.MessageDone)]
    assert [item.cut for item in done] == [True, False]
    assert text_of(whole) == done[0].text + "The new reply."


def test_g9_an_exception_in_ones_tool_is_not_seen_by_another_that_streams() -> None:
    def journal_beside(other: World | None, cfg: ChatConfig = CFG) -> tuple[object, ...]:
        tools = Tools()
        tools.quick_gate.opened.set()
        world = tools.in_world(gated_world((called("quick"),), HELLO))
        failing = None if other is None else run_streamed("go", tools.specs, cfg, other)
        told = list(run_streamed("go", tools.specs, evolve(cfg, conversation="b"), world))
        assert kinds(told)[-1] == "RunEnded"
        if failing is not None:
            assert kinds(list(failing))[-1] == "RunEnded"
        return tuple(map(without_times, journaled(world)))

    broken = evolve(fake_world(), models=GatedModels((called("nope", "quick"),), ()))
    assert journal_beside(broken) == journal_beside(None)


def test_g14_a_tool_that_is_quicker_than_the_step_that_started_it_wakes_the_run_and_its_readers() -> None:
    for _ in range(50):
        tools = Tools()
        tools.quick_gate.opened.set()
        stream = run_streamed("go", tools.specs, CFG, tools.in_world(gated_world((called("quick", "quick", "quick"),))))
        assert kinds(list(stream)).count("ToolOutput") == 3
        assert ended(stream) is Reason.COMPLETED


def test_leaving_says_what_becomes_of_the_run() -> None:
    for leaving, reason in ((Leaving.NOW, Reason.INTERRUPTED), (Leaving.AFTER_TURN, Reason.COMPLETED), (Leaving.NEVER, Reason.COMPLETED)):
        gate = Gate()
        world = gated_world((*HELLO[:4], gate, *HELLO[4:]))
        for item in run_streamed("go", (), CFG, world, leaving=leaving):
            if isinstance(item, items.ReasoningDelta):
                gate.arrived()
                break
        gate.opened.set()
        assert_no_thread_is_left()
        last = journaled(world)[-1]
        assert isinstance(last, TurnEnded)
        assert last.reason is reason
        assert_ended(world)


def test_a_run_goes_on_until_its_last_reader_has_left() -> None:
    gate = Gate()
    stream = run_streamed("go", (), CFG, gated_world((*HELLO[:4], gate, *HELLO[4:])))
    other = stream.join()
    stream.close()
    gate.arrived()
    gate.opened.set()
    assert text_of(list(other)) == "Hello, this is a reply."
    assert ended(other) is Reason.COMPLETED


def test_readers_in_threads_tasks_and_loops_are_told_the_same() -> None:
    gates = tuple(Gate() for _ in HELLO)
    stream = run_streamed("go", (), CFG, gated_world([part for pair in zip(gates, HELLO, strict=True) for part in pair]))

    async def read() -> list[Item]:
        return [item async for item in stream.join()]

    async def many() -> list[list[Item]]:
        return await asyncio.gather(*(read() for _ in range(5)))

    with ThreadPoolExecutor(8) as executor:
        plain = [executor.submit(lambda: list(stream.join())) for _ in range(4)]
        loops = [executor.submit(lambda: asyncio.run(many())) for _ in range(3)]
        for gate in gates:
            gate.arrived()
            gate.opened.set()
        told = [each.result() for each in plain] + [one for each in loops for one in each.result()]
    expected = list(stream)
    for each in told:
        assert text_of(each) == text_of(expected) == "Hello, this is a reply."
        assert [item for item in each if not isinstance(item, (items.TextDelta, items.ReasoningDelta))] == [
            item for item in expected if not isinstance(item, (items.TextDelta, items.ReasoningDelta))
        ]


def test_joined_at_every_place_while_it_streams_and_afterwards_the_rest_is_told() -> None:
    gate = Gate()
    tools = Tools()
    tools.quick_gate.opened.set()
    world = tools.in_world(gated_world(pieces(called("quick")), (*HELLO[:6], gate, *HELLO[6:])))
    stream = run_streamed("go", tools.specs, CFG, world)
    early = [next(stream)]
    gate.arrived()
    readers = []
    while not isinstance(early[-1], items.TextDelta) or early[-1].reply != "1.2.m.0":
        early.append(next(stream))
        readers.append((len(early), stream.join(early[-1].at)))
    gate.opened.set()
    told = [*early, *stream]
    for count, reader in readers:
        assert [type(each) for each in reader] == [type(each) for each in told[count:]] or text_of(list(reader)) == ""
    for index, item in enumerate(told[1:-1], 2):
        rest = told[index:]
        assert text_of(list(stream.join(item.at))) == text_of(rest)
        assert text_of(list(follow(journaled(world), CFG, item.at))) == text_of(rest)
        assert kinds(list(stream.join(item.at)))[-1] == "RunEnded"


def test_a_place_before_the_run_is_found_in_the_journal() -> None:
    world = gated_world(HELLO, pieces(chat_stream("Second.")))
    first = run_streamed("one", (), CFG, world)
    told = list(first)
    second = run_streamed("two", (), CFG, world, state=first.result().state)
    again = list(second.join(told[2].at))
    assert text_of(again) == "Hello, this is a reply.Second."
    assert [item.said for item in again if isinstance(item, items.TurnStarted)] == ["two"]


def test_a_place_that_is_nowhere_is_the_newest_one() -> None:
    stream = run_streamed("go", (), CFG, gated_world(HELLO))
    stream.result()
    assert kinds(list(stream.join(evolve(START, event=10**9)))) == ["RunEnded"]


def test_what_a_watcher_raises_readers_are_raised() -> None:
    def watch(effect: object) -> None:
        if "Delta" in type(getattr(effect, "what", None)).__name__:
            raise RuntimeError("boom")

    stream = run_streamed("go", (), CFG, gated_world(HELLO), watch=watch)
    with pytest.raises(RuntimeError, match="boom"):
        list(stream)
    with pytest.raises(RuntimeError, match="boom"):
        stream.result()

    async def read() -> None:
        async for _ in stream.join():
            pass

    with pytest.raises(RuntimeError, match="boom"):
        asyncio.run(read())


def test_a_run_that_cannot_begin_says_so_at_its_end() -> None:
    told = list(run_streamed("go", (), evolve(CFG, model="no/such"), gated_world()))
    assert kinds(told) == ["RunStarted", "RunEnded"]
    assert isinstance(told[-1], items.RunEnded)
    assert told[-1].problem is not None
    assert told[-1].reason is None


def test_a_question_pauses_the_run_and_is_told_with_its_preview() -> None:
    tools = Tools()
    tools.quick_gate.opened.set()
    world = tools.in_world(gated_world((called("quick"),)))
    told = list(run_streamed("go", tools.specs, evolve(CFG, rules=()), world))
    (asked,) = (item for item in told if isinstance(item, items.PermissionAsked))
    assert (asked.call, asked.kind) == ("1.1.0", "function")
    assert "quick" in asked.preview
    assert isinstance(told[-1], items.RunEnded)
    assert told[-1].paused


def test_what_a_command_says_is_shown() -> None:
    told = list(run_streamed(CommandGiven("/help"), (), CFG, gated_world()))
    assert kinds(told) == ["RunStarted", "Shown", "RunEnded"]


def test_a_result_that_is_waited_for_too_short_a_time_is_a_time_out() -> None:
    gate = Gate()
    stream = run_streamed("go", (), CFG, gated_world((gate,)))
    with pytest.raises(TimeoutError):
        stream.result(0.01)
    assert not stream.over
    stream.interrupt()
    assert ended(stream) is Reason.INTERRUPTED
    assert stream.state.idle


def test_it_works_within_a_running_loop_as_a_notebook_has_one() -> None:
    async def cell() -> str:
        return text_of(list(run_streamed("go", (), CFG, gated_world(HELLO))))

    assert asyncio.run(cell()) == "Hello, this is a reply."


def test_items_on_the_wire_are_the_same_bytes_each_time() -> None:
    told = list(run_streamed("go", (), evolve(CFG, conversation="c"), gated_world(HELLO)))
    lines = [item_line(item) for item in told]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    assert lines == [item_line(item) for item in told]
    assert [item_event(item).split("\n")[0] for item in told][:3] == ["id: 0", "id: 2", "id: 3"]


AT_EXIT = """
import sys
from pathlib import Path
from attrs import evolve
from tests.streaming.support import CFG, Gate, gated_world
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.streaming.streamed import run_streamed

gate = Gate()
world = evolve(gated_world((gate,)), journal=SqliteJournal(Path(sys.argv[1])))
stream = run_streamed("go", (), evolve(CFG, conversation="c"), world)
gate.arrived()
"""


def test_a_process_that_ends_ends_its_runs_and_they_are_recorded(tmp_path: Path) -> None:
    program = (sys.executable, "-c", AT_EXIT, str(tmp_path / "journal.db"))
    subprocess.run(program, check=True, timeout=PATIENCE_S, cwd=PROJECT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    with contextlib.closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        last = journal.load("c")[-1]
    assert isinstance(last, TurnEnded)
    assert last.reason is Reason.INTERRUPTED
