"""O1, O11 to O15: what an exporter of a run gets, whatever it does, and whatever becomes of the run."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from threading import Thread
from typing import final

import pytest
from attrs import evolve
from typing_extensions import override

from tests.tracing.support import DONE, LISTED, LS, TOLD, by_name, config, lines, ran, told_later, with_sink, world_of
from turnfold import BUILTIN_TOOLS, ChatConfig, CommandGiven, Decided, Publish, Record, load, run_async
from turnfold.core.agent.effects import Effect
from turnfold.core.agent.events import (
    CallClosed,
    CallCommanded,
    Event,
    Reason,
    RequestOpened,
    RoundEnded,
    Started,
    TurnEnded,
)
from turnfold.core.agent.inputs import Resumed
from turnfold.core.agent.state import Past
from turnfold.core.config.tables import Exporter, Kept, Propagate
from turnfold.core.config.values import Rule
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem, world_problem
from turnfold.core.trace.exported import Exported
from turnfold.core.trace.lines import span_line
from turnfold.core.trace.w3c import context_of, span_id
from turnfold.shell.exporting.exporting import exporting_of
from turnfold.shell.exporting.outbox import TRIES
from turnfold.shell.ports import Journal, JournalError, NotSent
from turnfold.shell.ports import Kept as Stored
from turnfold.testing.fake_sink import FakeSink
from turnfold.testing.fake_world import fake_world
from turnfold.testing.fakes import FakeProcesses, FakeSecrets
from turnfold.testing.wire import chat_stream

ASKING: tuple[Rule, ...] = ()
CHILD = chat_stream("", (RawCall("subagent", '{"task": "Count."}'),))


def problems(effects: list[Effect]) -> tuple[Problem, ...]:
    return tuple(each.what for each in effects if isinstance(each, Publish) and isinstance(each.what, Problem))


def test_a_run_exports_what_its_journal_tells_later_byte_for_byte() -> None:
    sink = FakeSink()
    world = world_of(LS, DONE, sink=sink)
    ran(world, config())
    assert lines(sink.spans) == lines(told_later(world, config()))
    chat = next(each for each in sink.spans if each.told.client)
    told = dict(chat.told.attributes)
    assert (told["gen_ai.operation.name"], told["gen_ai.request.model"], told["gen_ai.usage.input_tokens"]) == ("chat", "m", 10)
    assert told["gen_ai.response.finish_reasons"] == ("tool_calls",)
    tool = dict(by_name(sink.spans, "execute_tool shell").told.attributes)
    assert (tool["gen_ai.tool.name"], tool["gen_ai.tool.call.id"]) == ("shell", "1.1.0")


def test_o1_a_conversation_led_by_threads_and_loops_in_turn_is_one_trace() -> None:
    sink = FakeSink()
    world, cfg = world_of(LS, DONE, LS, DONE, sink=sink), config(rules=ASKING)
    with ThreadPoolExecutor(1) as elsewhere:
        begun = elsewhere.submit(ran, world, cfg).result()
    assert begun.questions
    yes = Decided(begun.questions[0].request_id, allowed=True)
    asyncio.run(run_async(yes, BUILTIN_TOOLS, cfg, world, state=begun.state))
    ran(world, cfg, state=load(world.journal.load("c")))
    assert {each.trace_id for each in sink.spans} == {context_of("c").trace_id}
    known = {each.span_id for each in told_later(world, cfg)}
    assert all(each.parent_id in known or not each.parent_id for each in sink.spans)
    finished = tuple(each for each in told_later(world, cfg) if each.finished)
    assert lines(sink.spans) == lines(finished)


def test_o11_children_and_runs_beside_each_other_are_in_their_own_places() -> None:
    sink = FakeSink()
    worlds = tuple(with_sink(fake_world((CHILD, LS, DONE, DONE), commands={"make secret-folder": LISTED}), sink) for _ in range(2))
    cfgs = (config("one"), config("two"))
    with ThreadPoolExecutor(2) as pool:
        tuple(pool.map(ran, worlds, cfgs))
    later = (*told_later(worlds[0], cfgs[0]), *told_later(worlds[1], cfgs[1]))
    assert lines(sink.spans) == lines(later)
    below = [each for each in sink.spans if ("gen_ai.conversation.id", "one~1.1.0.0") in each.told.attributes]
    assert {each.trace_id for each in below} == {context_of("one").trace_id}
    assert [each.parent_id for each in below if each.told.kind == "turn"] == [span_id("one", "1.1.0.0")]


def test_o12_two_runs_with_an_exporter_each_never_see_each_others_spans() -> None:
    sinks = FakeSink(), FakeSink()
    worlds = tuple(world_of(*(LS,) * 20, DONE, sink=sink) for sink in sinks)
    with ThreadPoolExecutor(2) as pool:
        tuple(pool.map(ran, worlds, (config("one"), config("two"))))
    for sink, conversation in zip(sinks, ("one", "two"), strict=True):
        assert len(sink.spans) > 60
        assert {dict(each.told.attributes)["gen_ai.conversation.id"] for each in sink.spans} == {conversation}


def test_o13_a_run_that_crashed_does_not_look_like_one_that_ended_and_its_end_is_exported_once() -> None:
    sink, cfg = FakeSink(), config()
    world = world_of(LS, DONE, sink=sink)

    def crash(effect: Effect) -> None:
        if isinstance(effect, Record) and isinstance(effect.event, RequestOpened) and effect.event.request_id.slot == 0:
            raise RuntimeError("the process is gone")

    with pytest.raises(RuntimeError):
        ran(world, cfg, watch=crash)
    assert [each.told.kind for each in sink.spans] == ["model"]
    crashed = {each.told.kind: each for each in told_later(world, cfg)}
    assert not crashed["turn"].finished
    assert crashed["turn"].error
    assert ("error.type", "unfinished") in crashed["request"].told.attributes
    ran(world, cfg, Resumed(99_000), load(world.journal.load("c")))
    assert [each.told.kind for each in sink.spans].count("turn") == 1
    assert ("turnfold.status", "unknown") in by_name(sink.spans, "run").told.attributes
    assert lines(sink.spans) == lines(told_later(world, cfg))


def commanded(turns: int) -> tuple[Record, ...]:
    """The journal of so many turns of three spans each."""
    events: list[Event] = [Started(conversation="c", cfg_digest="", tools_digest="")]
    for at_ms in range(turns):
        call = ToolCall("read", JsonObject())
        events += [
            CallCommanded("/read", call, at_ms),
            CallClosed(slot=0, text="", ok=True, at_ms=at_ms),
            RoundEnded(at_ms),
            TurnEnded(Reason.COMPLETED, None, at_ms),
        ]
    return tuple(Record(number, event) for number, event in enumerate(events))


def test_o14_of_30_000_spans_all_arrive_at_an_exporter_that_takes_50_ms_a_batch() -> None:
    sink = FakeSink(pause_s=0.05)
    exporting = exporting_of(Past(), config(), with_sink(fake_world(), sink, Exporter(name="slow", batch=2_000, timeout_s=60)))
    assert exporting is not None
    exporting.saw(commanded(10_000))
    assert exporting.close() == ()
    assert len({each.span_id for each in sink.spans}) == 30_000


def test_o14_beyond_the_limit_spans_are_counted_and_reported() -> None:
    gate = Flag()
    sink = FakeSink(gate=gate)
    exporting = exporting_of(Past(), config(), with_sink(fake_world(), sink, Exporter(name="small", buffer=1_000, batch=500, timeout_s=60)))
    assert exporting is not None
    exporting.saw(commanded(3_000))
    gate.set()
    (problem,) = exporting.close()
    dropped = 9_000 - len(sink.spans)
    assert 9_000 - 2_000 <= dropped <= 9_000 - 1_000  # what waits, and the batches that were on their way
    assert sink.dropped == dropped
    assert f"{dropped:,} spans had no room" in problem.message


def test_an_exporter_that_hangs_never_holds_the_run_and_the_journal_has_it_all() -> None:
    gate, seen = Flag(), list[Effect]()
    sink = FakeSink(gate=gate)
    world = world_of(LS, DONE, sink=sink, settings=Exporter(name="stuck", timeout_s=0.05))
    result = ran(world, config(), watch=seen.append)
    assert result.reply == "Done, dear."
    (problem,) = problems(seen)
    later = told_later(world, config())
    assert f"{len(later)} spans could not be delivered: it did not take them within 0.05 s" in problem.message
    gate.set()
    assert len(sink.batches) <= 1  # what was on its way, and nothing after it


def test_a_machine_that_has_no_thread_to_give_costs_the_export_and_not_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    sink, seen = FakeSink(), list[Effect]()
    world = world_of(LS, DONE, sink=sink)
    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", no_more)
        assert ran(world, config(), watch=seen.append).reply == "Done, dear."
    (problem,) = problems(seen)
    assert f"{len(told_later(world, config()))} spans could not be delivered" in problem.message
    assert not sink.batches


def test_an_exporter_that_hangs_never_holds_the_loop() -> None:
    gate = Flag()
    sink = FakeSink(gate=gate)
    world = world_of(LS, DONE, sink=sink, settings=Exporter(name="late", timeout_s=60))

    async def both() -> None:
        running = asyncio.create_task(run_async("Go.", BUILTIN_TOOLS, config(), world))
        await asyncio.to_thread(sink.began.wait)
        gate.set()  # by the loop, which nobody holds
        await running

    asyncio.run(both())
    assert lines(sink.spans) == lines(told_later(world, config()))


def test_what_is_refused_for_now_is_tried_again() -> None:
    busy = NotSent(world_problem("receiver-refused", "it answered 429"), again=True)
    sink, seen = FakeSink(busy, RuntimeError("once")), list[Effect]()
    world = world_of(LS, DONE, sink=sink)
    ran(world, config(), watch=seen.append)
    assert not problems(seen)
    assert sink.tries == len(sink.batches) + 2
    assert lines(sink.spans) == lines(told_later(world, config()))


@pytest.mark.parametrize(
    ("refusal", "tries", "words"),
    [
        (RuntimeError("broken"), TRIES, "it raised RuntimeError: broken"),
        (NotSent(world_problem("receiver-refused", "it answered 400: no.")), 1, "it answered 400: no"),
    ],
)
def test_what_can_not_be_delivered_is_told_once_and_the_run_goes_on(refusal: NotSent | Exception, tries: int, words: str) -> None:
    sink, seen = FakeSink(*(refusal,) * 100), list[Effect]()
    world = world_of(LS, DONE, sink=sink)
    assert ran(world, config(), watch=seen.append).ended is not None
    (problem,) = problems(seen)
    assert words in problem.message
    assert "turnfold trace c --otlp-json" in problem.message
    assert sink.tries == tries
    assert not sink.spans


def test_what_a_receivers_code_says_of_a_secret_is_masked() -> None:
    settings = Exporter(name="kept", headers=JsonObject.of(authorization=JsonObject.of(secret="THEIR_KEY")))
    sink, seen = FakeSink(*(RuntimeError("401 for s3cret-value"),) * 100), list[Effect]()
    world = evolve(world_of(DONE, sink=sink, settings=settings), secrets=FakeSecrets((("THEIR_KEY", "s3cret-value"),)))
    ran(world, config("c", "", settings), watch=seen.append)
    (problem,) = problems(seen)
    assert "401 for [secret THEIR_KEY]" in problem.message


def test_o15_what_has_been_exported_does_not_change_while_the_conversation_goes_on() -> None:
    sink, cfg = FakeSink(), config()
    world = world_of(LS, DONE, DONE, sink=sink)
    first = ran(world, cfg)
    early = lines(sink.spans)
    ran(world, cfg, "More.", first.state)
    ran(world, cfg, CommandGiven("/undo"), load(world.journal.load("c")))
    ran(world, cfg, CommandGiven("/redo"), load(world.journal.load("c")))
    assert len(sink.spans) > len(early)
    assert early == lines(sink.spans[: len(early)])
    assert lines(sink.spans) == lines(told_later(world, cfg))


def test_without_content_no_text_goes_along_and_with_it_all_does() -> None:
    bare, whole = FakeSink(), FakeSink()
    world = with_sink(world_of(LS, DONE, sink=bare), whole, Exporter(name="whole", content=True))
    ran(world, config())
    said, quiet = "".join(map(span_line, whole.spans)), "".join(map(span_line, bare.spans))
    assert all(word in said for word in TOLD[:-1])
    assert not any(word in quiet for word in TOLD)
    assert lines(whole.spans) == lines(told_later(world, config(), content=True))


def test_only_turns_that_failed_are_kept_with_the_conversations_within() -> None:
    sink = FakeSink()
    settings = Exporter(name="failures", keep=Kept.FAILED)
    world = with_sink(fake_world((DONE, CHILD, LS, DONE), commands={"make secret-folder": LISTED}), sink, settings)
    first = ran(world, config())
    assert not sink.spans
    ran(world, config(), "And now?", first.state)  # no reply is left for it
    later = told_later(world, config())
    failed = tuple(each for each in later if not _in_first(each))
    assert lines(sink.spans) == lines(failed)
    assert any(("gen_ai.conversation.id", "c~2.1.0.0") in each.told.attributes for each in sink.spans)


def _in_first(each: Exported) -> bool:
    told = dict(each.told.attributes)
    return told["gen_ai.conversation.id"] == "c" and str(told["turnfold.place"]).split(".")[0] == "1"


def test_a_part_of_all_traces_is_sampled_and_a_child_follows_its_parent() -> None:
    kept = set()
    for number in range(60):
        sink, conversation = FakeSink(), f"n{number}"
        world = with_sink(fake_world((CHILD, DONE, DONE)), sink, Exporter(name="some", sample=0.5))
        ran(world, config(conversation))
        told = {dict(each.told.attributes)["gen_ai.conversation.id"] for each in sink.spans}
        assert told in (set(), {conversation, f"{conversation}~1.1.0.0"})
        kept |= {conversation} & told
    assert 15 < len(kept) < 45


def test_a_trace_that_began_elsewhere_goes_on_and_services_are_told_of_it() -> None:
    sink, parent = FakeSink(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    seen = list[Effect]()
    world = world_of(LS, DONE, sink=sink)
    ran(world, config("c", parent), watch=seen.append)
    assert {each.trace_id for each in sink.spans} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert by_name(sink.spans, "invoke_agent").parent_id == "00f067aa0ba902b7"
    assert parent.split("-")[1] not in json.dumps([str(event) for event in world.journal.load("c")])  # it follows from the config
    unsampled = FakeSink()
    ran(world_of(DONE, sink=unsampled), config("c", parent[:-1] + "0"))
    assert not unsampled.spans


def test_a_turn_that_waited_is_exported_by_the_run_that_ends_it_and_commands_are_told_where_they_are_to_be() -> None:
    sink, cfg = FakeSink(), config(rules=ASKING)
    world = world_of(LS, DONE, sink=sink, settings=Exporter(name="all", propagate=Propagate.ALL))
    begun = ran(world, cfg)
    assert [each.told.kind for each in sink.spans] == ["model"]
    seen = list[Effect]()
    ran(world, cfg, Decided(begun.questions[0].request_id, allowed=True), begun.state, seen.append)
    assert lines(sink.spans) == lines(told_later(world, cfg))
    assert isinstance(world.processes, FakeProcesses)
    (performed,) = world.processes.ran
    (told,) = (each.value or "" for each in performed.environment if each.name == "TRACEPARENT")
    assert told.split("-")[2] == by_name(sink.spans, "run").span_id
    assert all("TRACEPARENT" not in str(each) for each in seen)  # the journal and those who watch see the request as it was asked for


def test_a_journal_that_can_not_be_read_keeps_no_run_from_going_on() -> None:
    sink, cfg = FakeSink(), config(rules=ASKING)
    world = world_of(LS, DONE, sink=sink)
    begun = ran(world, cfg)

    result = ran(evolve(world, journal=Blind(world.journal)), cfg, Decided(begun.questions[0].request_id, allowed=True), begun.state)
    assert result.reply == "Done, dear."


@final
class Blind(Journal):
    """A journal that can't be read; what is written is another's."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    @override
    def append(self, conversation: str, records: tuple[Record, ...]) -> None:
        self.journal.append(conversation, records)

    @override
    def load(self, conversation: str) -> tuple[Event, ...]:
        raise JournalError(world_problem("journal", "It can't be read."))

    @override
    def keep(self, digest: str, cfg: ChatConfig) -> None:
        self.journal.keep(digest, cfg)

    @override
    def config(self, digest: str) -> ChatConfig:
        return self.journal.config(digest)

    @override
    def find(self) -> tuple[Stored, ...]:
        return self.journal.find()
