"""Child conversations in runs: their journals, budgets, questions and cancels; and two parents side by side (G6)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import final

import pytest
from attrs import evolve
from typing_extensions import override

from turnfold import BUILTIN_TOOLS, ChatConfig, Config, Decided, Limits, ProjectConfig, Rule, RunResult, Verdict, load, run, run_async
from turnfold.core.agent.asked import Question
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import MessageAdded, Reason, RequestClosed, Started, TurnEnded
from turnfold.core.agent.ids import RequestId, child_id
from turnfold.core.agent.inputs import Resumed
from turnfold.core.agent.state import ChatState, memory_of
from turnfold.core.config.agents import AgentSpec
from turnfold.core.config.models import find_provider
from turnfold.core.conversation.messages import ToolMessage, UserMessage
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.answers import ChildEnded, StreamEnded
from turnfold.core.world.requests import CallModel, Request
from turnfold.core.world.usage import Usage
from turnfold.shell.clock import SystemClock
from turnfold.shell.ports import Human, Models, Port
from turnfold.shell.scope import Scope
from turnfold.shell.world import World
from turnfold.testing.fake_world import SCRIPTED, fake_world
from turnfold.testing.wire import chat_stream

CFG = ChatConfig(ProjectConfig(Config(model="scripted/m", providers=(SCRIPTED,))), workspace="/w", conversation="p")
SPENT = Usage(input_tokens=10, output_tokens=5)


@final
class Scripted(Models):
    """What is replied to a conversation depends on what its person said first, and on how often it was called."""

    def __init__(self, replies: Mapping[str, tuple[bytes, ...]], before: Callable[[str, Scope], None] = lambda _said, _scope: None) -> None:
        self.replies = dict(replies)
        self.before = before

    @override
    def choose(self, cfg: ChatConfig) -> ChatConfig | Problem:
        found = find_provider(cfg)
        return found if isinstance(found, Problem) else cfg

    @override
    def stream(self, request: CallModel, body: bytes, scope: Scope) -> StreamEnded | Problem:
        messages = json.loads(body)["messages"]
        said = next(message["content"] for message in messages if message["role"] == "user")
        place = sum(message["role"] == "assistant" for message in messages)
        self.before(said, scope)
        if not scope.cancelled:
            scope.emit(self.replies[said][place])
        return StreamEnded()

    @override
    def close(self) -> None:
        """Nothing is open."""


def calls(*made: tuple[str, Mapping[str, object]]) -> bytes:
    return chat_stream("", tuple(RawCall(name, json.dumps(arguments)) for name, arguments in made), usage=SPENT)


def paid(times: int) -> Usage:
    """What so many model calls cost, whose prices nobody knows."""
    return Usage(input_tokens=10 * times, output_tokens=5 * times, unpriced_tokens=15 * times)


def says(text: str) -> bytes:
    return chat_stream(text, usage=SPENT)


def task(said: str, **more: object) -> tuple[str, Mapping[str, object]]:
    return "subagent", {"task": said, **more}


def world_of(models: Models, human: Human | None = None) -> World:
    return evolve(fake_world(human=human), models=models)


def told(result: RunResult) -> list[ToolMessage]:
    return [message for message in result.state.past.log if isinstance(message, ToolMessage)]


def child_of(world: World, slot: int = 0, parent: str = "p", generation: int = 1) -> ChatState:
    return load(world.journal.load(child_id(parent, RequestId(1, generation, slot, 0))))


def test_a_child_has_its_own_journal_and_its_answer_and_cost_are_the_parents() -> None:
    world = world_of(Scripted({"go": (calls(task("count")), says("Two.")), "count": (says("There are two."),)}))
    result = run("go", BUILTIN_TOOLS, CFG, world)
    assert result.reply == "Two."
    assert [message.text for message in told(result)] == ["There are two.\n(conversation p~1.1.0.0)"]
    child = child_of(world)
    assert child.past.log[0] == UserMessage("count")
    assert (child.past.usage, result.state.past.usage) == (paid(1), paid(3))
    assert load(world.journal.load("p")) == result.state


@pytest.mark.parametrize("aside", [False, True])
def test_children_of_one_round_run_side_by_side(aside: bool) -> None:
    meeting = Barrier(3)

    def before(said: str, scope: Scope) -> None:
        if said != "go":
            meeting.wait(30)  # three at once, or it breaks

    models = Scripted(
        {"go": (calls(task("a"), task("b"), task("c")), says("Done.")), "a": (says("A"),), "b": (says("B"),), "c": (says("C"),)}, before
    )
    world = world_of(models)
    if aside:
        result = asyncio.run(run_async("go", BUILTIN_TOOLS, CFG, world))
    else:
        with ThreadPoolExecutor(4) as threads:
            result = run("go", BUILTIN_TOOLS, CFG, world, executor=threads)
    assert [message.text.split("\n")[0] for message in told(result)] == ["A", "B", "C"]
    assert result.state.past.usage == paid(5)


def test_what_is_left_bounds_the_child_and_children_share_it() -> None:
    read = calls(("read", {"path": "a.txt"}))
    models = Scripted({"go": (calls(task("a"), task("b", model_calls=1)), says("Done.")), "a": (read,) * 9, "b": (read,) * 9})
    world = world_of(models)
    limits = Limits(tokens=75)
    result = run("go", BUILTIN_TOOLS, evolve(CFG, limits=limits), world)
    first, second = told(result)
    assert "limits.tokens" in first.text
    assert not first.ok
    assert child_of(world).past.usage == paid(2)  # of (75 - 15) / 2 = 30
    assert "limits.generations" in second.text
    assert world.journal.config(child_of(world, 1).past.cfg_digest).limits.tokens == 75 - 15 - 30
    assert result.state.past.usage == paid(5)  # and no more than 75


def test_the_parents_rules_hold_for_the_child_and_it_gets_no_tool_beyond() -> None:
    save = calls(("save", {"path": "x.txt", "content": "x"}), ("shell", {"command": "ls"}))
    models = Scripted({"go": (calls(task("work", tools=["save"])), says("Done.")), "work": (save, says("No."))})
    world = world_of(models)
    cfg = evolve(CFG, rules=(Rule(Verdict.DENY, "write", "*"),))
    run("go", BUILTIN_TOOLS, cfg, world)
    denied, unknown = (message.text for message in child_of(world).past.log if isinstance(message, ToolMessage))
    assert denied.startswith("Denied")
    assert 'no tool "shell"' in unknown
    for wrong, words in ((["nope"], "There is no tool 'nope'"), (["shell"], "There is no tool 'shell'")):
        models.replies["go"] = (calls(task("work", tools=wrong)), says("Done."))
        refused = told(run("go", BUILTIN_TOOLS, evolve(cfg, tools=("subagent", "save"), conversation=f"q{words}"), world))
        assert words in refused[0].text


def test_an_agent_leads_the_child_alone() -> None:
    base = evolve(CFG, project=ProjectConfig(evolve(CFG.project.base, agents=(AgentSpec(name="critic", instructions="Be strict."),))))
    models = Scripted(
        {"go": (calls(task("work", agent="critic")), calls(task("work", agent="nobody")), says("Done.")), "work": (says("No."),)}
    )
    world = world_of(models)
    result = run("go", BUILTIN_TOOLS, base, world)
    child = world.journal.config(child_of(world).past.cfg_digest)
    assert (child.agent, child.instructions) == ("critic", "Be strict.")
    assert result.cfg.agent == ""
    assert "There is no agent 'nobody' (there are: critic)" in told(result)[1].text


def test_they_lie_only_so_deep() -> None:
    models = Scripted({"go": (calls(task("a")), says("0")), "a": (calls(task("b")), says("1")), "b": (calls(task("c")), says("2"))})
    world = world_of(models)
    run("go", BUILTIN_TOOLS, CFG, world)
    deepest = load(world.journal.load("p~1.1.0.0~1.1.0.0"))
    assert [("child_depth" in message.text, message.ok) for message in deepest.past.log if isinstance(message, ToolMessage)] == [
        (True, False)
    ]
    assert len(world.journal.find()) == 3


@final
class Asked(Human):
    """Says yes, or nothing, and keeps what was asked."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self.asked: tuple[Question, ...] = ()

    @override
    def decide(self, question: Question) -> Decided | None:
        self.asked = (*self.asked, question)
        return Decided(question.request_id, allowed=True) if self.answers else None


SAVES = {
    "go": (calls(task("save it")), says("Done.")),
    "save it": (calls(("save", {"path": "x.txt", "content": "x\n"})), says("Saved.")),
}


def test_a_child_asks_the_same_person_and_says_who_it_is() -> None:
    human = Asked(answers=True)
    result = run("go", BUILTIN_TOOLS, CFG, world_of(Scripted(SAVES), human))
    assert [(question.child, question.preview.split("\n")[0]) for question in human.asked] == [("p~1.1.0.0", "Create x.txt (1 line):")]
    assert told(result)[0].text.startswith("Saved.")


def test_where_nobody_is_there_the_child_waits_and_its_parent_says_so_and_it_can_be_gone_on_with() -> None:
    world = world_of(Scripted(SAVES))
    result = run("go", BUILTIN_TOOLS, CFG, world)
    (message,) = told(result)
    assert not message.ok
    assert "It waits for the user, who has to answer 1 question:  turnfold --resume p~1.1.0.0" in message.text
    child = child_of(world)
    cfg = world.journal.config(child.past.cfg_digest)
    (asked,) = RunResult(state=child, cfg=cfg).questions
    later = run(Decided(asked.request_id, allowed=True), BUILTIN_TOOLS, cfg, world, state=child)
    assert later.reply == "Saved."


def test_a_cancel_interrupts_the_child_whose_journal_says_so() -> None:
    scope, begun = Scope(), Event()

    def before(said: str, inner: Scope) -> None:
        if said == "work":
            with inner.stopping(begun.set):
                scope.cancel()
                assert begun.wait(30)

    world = world_of(Scripted({"go": (calls(task("work")),), "work": (says("never"),)}, before))
    result = run("go", BUILTIN_TOOLS, CFG, world, scope=scope)
    assert result.ended is not None
    assert result.ended.reason is Reason.INTERRUPTED
    ends = [event for event in world.journal.load("p~1.1.0.0") if isinstance(event, TurnEnded)]
    assert [end.reason for end in ends] == [Reason.INTERRUPTED]
    assert "It was interrupted." in told(result)[0].text


def test_the_result_of_a_child_that_completes_is_told_whole() -> None:
    done = calls(("complete", {"text": "Counted.", "result": {"files": 2}}))
    world = world_of(Scripted({"go": (calls(task("count", tools=["complete"])), says("Two.")), "count": (done,)}))
    assert told(run("go", BUILTIN_TOOLS, CFG, world))[0].text == 'Counted.\n{"files":2}\n(conversation p~1.1.0.0)'


@final
class Kept(Port[Request]):
    """What lives here for a conversation until it is closed."""

    def __init__(self) -> None:
        self.closed: tuple[str, ...] = ()

    @override
    def act(self, request: Request, cfg: ChatConfig, scope: Scope) -> Problem:
        return world_problem("absent", "It does nothing.")

    @override
    def close(self, conversation: str) -> None:
        self.closed = (*self.closed, conversation)

    @override
    def close_all(self) -> None:
        """Nothing lives here."""


def test_what_lives_for_a_child_ends_with_it() -> None:
    jobs, browsers = Kept(), Kept()
    models = Scripted({"go": (calls(task("work")), says("Done.")), "work": (says("Worked."),)})
    run("go", BUILTIN_TOOLS, CFG, evolve(world_of(models), jobs=jobs, browsers=browsers))
    assert jobs.closed == browsers.closed == ("p~1.1.0.0",)


def test_after_a_crash_nothing_runs_again_and_the_person_is_told_where_it_came_to() -> None:
    models = Scripted({"go": (calls(task("work")), says("I look first.")), "work": (says("Worked."),)})
    world = world_of(models)
    done = run("go", BUILTIN_TOOLS, CFG, world)
    events = world.journal.load("p")
    at = next(index for index, event in enumerate(events) if isinstance(event, RequestClosed) and isinstance(event.outcome, ChildEnded))
    seen: list[str] = []

    def watch(effect: object) -> None:
        what = getattr(effect, "what", None)
        if isinstance(what, Problem):
            seen.append(what.message)

    fresh = world_of(models)
    fresh.journal.keep(events[0].cfg_digest if isinstance(events[0], Started) else "", done.cfg)
    fresh.journal.append("p", tuple(Record(number, event) for number, event in enumerate(events[:at])))
    resumed = run(Resumed(), BUILTIN_TOOLS, done.cfg, fresh, state=load(events[:at]), watch=watch)
    assert resumed.reply == "I look first."
    assert fresh.journal.find()[0].conversation == "p"
    assert len(fresh.journal.find()) == 1  # no child was started again
    assert "what was done of it is in conversation p~1.1.0.0" in seen[0]


def test_g6_todos_and_children_belong_to_their_conversation() -> None:
    """Two conversations run in turns on one world, each with a list and a child of the same name; neither hears of the other's."""
    todo = {who: ("todo", {"changes": f"add {who}'s"}) for who in "AB"}
    models = Scripted(
        {f"{who} go": (calls(todo[who], task(f"{who} work")), calls(("todo", {})), says(f"{who} done")) for who in "AB"}
        | {f"{who} work": (calls(("todo", {"changes": "add inner"})), says(f"{who}'s summary")) for who in "AB"}
    )
    world = world_of(models)

    async def both() -> tuple[RunResult, RunResult]:
        one, two = (run_async(f"{who} go", BUILTIN_TOOLS, evolve(CFG, conversation=who), world) for who in "AB")
        return await asyncio.gather(one, two)

    for who, result in zip("AB", asyncio.run(both()), strict=True):
        assert [message.text for message in told(result)] == [
            f"1. [ ] {who}'s",
            f"{who}'s summary\n(conversation {who}~1.1.1.0)",
            f"1. [ ] {who}'s",
        ]
        inner = child_of(world, 1, who)
        items = memory_of(inner.past, "todo")["items"]
        assert items == (JsonObject.of(text="inner", state="open"),)
        alone = world_of(models)
        once = run(f"{who} go", BUILTIN_TOOLS, evolve(CFG, conversation=who), alone)
        assert once.state.past.log == result.state.past.log
        kept = [event.message for event in world.journal.load(f"{who}~1.1.1.0") if isinstance(event, MessageAdded)]
        assert kept == [event.message for event in alone.journal.load(f"{who}~1.1.1.0") if isinstance(event, MessageAdded)]


def cut_off(world: World, cfg: ChatConfig, at: int, child_at: int) -> World:
    """A world in which the processes of the parent and the child were gone after so many events of each."""
    fresh = world_of(Scripted({"go": (says("never"), says("I look first.")), "work": (says("never"),)}))
    events = world.journal.load("p")
    fresh.journal.keep(events[0].cfg_digest if isinstance(events[0], Started) else "", cfg)
    for conversation, upto in (("p", at), ("p~1.1.0.0", child_at)):
        if upto:
            kept = world.journal.load(conversation)[:upto]
            fresh.journal.append(conversation, tuple(Record(number, event) for number, event in enumerate(kept)))
    return fresh


def test_what_a_lost_child_cost_is_its_parents_wherever_it_was_cut_off() -> None:
    read = calls(("read", {"path": "a.txt"}))
    world = world_of(Scripted({"go": (calls(task("work")), says("Done.")), "work": (read, read, says("Worked."))}))
    done = run("go", BUILTIN_TOOLS, CFG, world)
    events, inner = world.journal.load("p"), world.journal.load("p~1.1.0.0")
    at = next(index for index, event in enumerate(events) if isinstance(event, RequestClosed) and isinstance(event.outcome, ChildEnded))
    for child_at in range(1, len(inner) + 1):
        fresh = cut_off(world, done.cfg, at, child_at)
        resumed = run(Resumed(), BUILTIN_TOOLS, done.cfg, fresh, state=load(events[:at]))
        (message,) = told(resumed)
        assert resumed.reply == "I look first."
        assert resumed.state.past.usage == paid(2).plus(load(inner[:child_at]).past.usage)
        assert (child_at < len(inner)) == ("turnfold was stopped while it was at work" in message.text) == (not message.ok)
        assert len(fresh.journal.load("p~1.1.0.0")) == child_at  # nothing of it ran again
        assert child_at < len(inner) or message.text == told(done)[0].text  # what it had come to is not lost


def test_what_lies_below_a_lost_child_costs_its_grandparent_too() -> None:
    models = Scripted({"go": (calls(task("a")), says("0")), "a": (calls(task("b")), says("1")), "b": (says("2"),)})
    world = world_of(models)
    done = run("go", BUILTIN_TOOLS, CFG, world)
    ids = ("p", "p~1.1.0.0", "p~1.1.0.0~1.1.0.0")
    fresh = world_of(models)
    for conversation in ids:
        events = world.journal.load(conversation)
        at = next((n for n, event in enumerate(events) if isinstance(event, RequestClosed) and isinstance(event.outcome, ChildEnded)), None)
        fresh.journal.append(conversation, tuple(Record(number, event) for number, event in enumerate(events[:at])))
    resumed = run(Resumed(), BUILTIN_TOOLS, done.cfg, fresh, state=load(fresh.journal.load("p")))
    assert resumed.state.past.usage == paid(4)


@pytest.mark.parametrize("aside", [False, True])
def test_cancelling_the_parent_stops_all_its_children_and_their_journals_say_so(aside: bool) -> None:
    scope, meeting = Scope(), Barrier(4)

    def before(said: str, inner: Scope) -> None:
        if said != "go":
            stopped = Event()
            with inner.stopping(stopped.set):
                meeting.wait(30)
                assert stopped.wait(30)

    names = ("a", "b", "c")
    models = Scripted({"go": (calls(*map(task, names)),), **{name: (says("never"),) for name in names}}, before)
    world = evolve(world_of(models), clock=SystemClock())
    if aside:

        async def cancelled() -> None:
            running = asyncio.create_task(run_async("go", BUILTIN_TOOLS, CFG, world))
            await asyncio.get_running_loop().run_in_executor(None, meeting.wait, 30)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        asyncio.run(cancelled())
    else:
        with ThreadPoolExecutor(5) as threads:
            threads.submit(meeting.wait, 30).add_done_callback(lambda _: scope.cancel())
            run("go", BUILTIN_TOOLS, CFG, world, scope=scope, executor=threads)
    for conversation in ("p", *(f"p~1.1.{slot}.0" for slot in range(3))):
        ends = [event.reason for event in world.journal.load(conversation) if isinstance(event, TurnEnded)]
        assert ends == [Reason.INTERRUPTED], conversation
    parent = load(world.journal.load("p")).past
    assert [message.text for message in parent.log if isinstance(message, ToolMessage)] == [
        f"The task was not finished. It was interrupted.\n(conversation p~1.1.{slot}.0)" for slot in range(3)
    ]


def test_a_child_is_a_part_of_the_trace_that_its_parent_is() -> None:
    world = world_of(Scripted({"go": (calls(task("work")), says("Done.")), "work": (says("Worked."),)}))
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    run("go", BUILTIN_TOOLS, evolve(CFG, traceparent=traceparent), world)
    child = child_of(world)
    assert (world.journal.config(child.past.cfg_digest).traceparent, child.past.conversation) == (traceparent, "p~1.1.0.0")
