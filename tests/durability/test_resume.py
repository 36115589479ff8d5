"""Resuming (SCENARIOS F2, F4, O16, O17): decisions are recorded, so they are never made again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given

from tests.core.agent.scripted import YES, after, call, config, reply, results, sim
from tests.core.llm import gemini_shape, messages_shape, responses_shape
from tests.laws.comparison import assert_acceptable, sent_bodies
from tests.laws.examples import examples
from turnfold import BUILTIN_TOOLS, RunResult, run
from turnfold.core.agent.effects import Record
from turnfold.core.agent.events import RequestOpened, Started
from turnfold.core.agent.inputs import Decided, Resumed
from turnfold.core.agent.state import ChatState, questions
from turnfold.core.agent.step import step
from turnfold.core.config.values import ToolFormat, Wire
from turnfold.core.journal import fold, fork, load
from turnfold.core.json import JsonObject
from turnfold.core.llm.reply import RawCall
from turnfold.core.world.answers import ProcessEnded
from turnfold.testing.fake_world import fake_world
from turnfold.testing.lives import lives, sims
from turnfold.testing.moves import Crash, Decide, Finish, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, finished, resumed, walked
from turnfold.testing.wire import chat_stream

PAUSED = after(sim(reply("", call("read", path="a.txt"), call("shell", command="make"))), Say("go"), Finish(), Finish())


def test_resuming_many_times_from_one_value_gives_equal_results_and_leaves_it_as_it_was() -> None:
    """O16."""
    before = repr(PAUSED.state)
    asked = questions(PAUSED.state.past)[0].request_id
    first = step(PAUSED.state, Decided(asked, allowed=True), ALL_TOOLS, CONFIG)
    assert all(step(PAUSED.state, Decided(asked, allowed=True), ALL_TOOLS, CONFIG) == first for _ in range(3))
    assert repr(PAUSED.state) == before
    assert step(PAUSED.state, Resumed(), ALL_TOOLS, CONFIG).effects == ()


def test_a_fork_is_the_same_value_and_shares_its_memory() -> None:
    """O17."""
    begun = finished(after(sim(cfg=config(YES)), Say("one")))
    journal = begun.events
    made = fork(journal, "other", "mine", CONFIG, 7)
    forked = fold(made.events)
    assert evolve(forked, conversation="c", cfg_digest=begun.state.past.cfg_digest, events=forked.events - 1) == begun.state.past
    left, right = (after(begun, Say(text)) for text in ("left", "right"))
    assert left.state.past.log[0] is right.state.past.log[0] is begun.state.past.log[0]
    assert left.state.past.log != right.state.past.log
    tools_digest = begun.state.past.tools_digest
    assert made.events[-1] == Started(conversation="other", cfg_digest=made.digest, tools_digest=tools_digest, at_ms=7)
    assert made.cfg == evolve(CONFIG, conversation="other", name="mine")


def test_what_was_decided_before_a_pause_is_not_decided_again_after_it() -> None:
    """F2: resuming performs what was opened; no tool is asked anew for what it asked already."""
    back = resumed(evolve(PAUSED, state=load(PAUSED.events)))
    done = finished(after(back, Decide()))
    opened = [event for event in done.events if isinstance(event, RequestOpened)]
    assert len({event.request_id for event in opened}) == len(opened) == 4
    assert "ran make in /w" in results(done)[1]
    assert len(done.state.past.log) == 5


def whole(body: bytes) -> str | None:
    """Nothing, where each call of a Chat Completions' history has its result; fails where not."""
    assert_acceptable(body)
    return None


ACCEPTED = (
    (Wire.CHAT, whole),
    (Wire.RESPONSES, responses_shape.broken_rule),
    (Wire.MESSAGES, messages_shape.broken_rule),
    (Wire.GEMINI, gemini_shape.broken_rule),
)


@pytest.mark.parametrize(("wire", "broken_rule"), ACCEPTED, ids=lambda each: getattr(each, "value", ""))
def test_every_prefix_encodes_to_a_history_that_a_provider_accepts(wire: Wire, broken_rule: Callable[[bytes], str | None]) -> None:
    """F4: each call is followed by exactly its results, in order, before any other message, whatever was edited or told in between."""

    @given(sims(wire), lives())
    @examples(15)
    def held(begun: Sim, life: tuple[Move, ...]) -> None:
        sim = walked(evolve(begun, cfg=evolve(begun.cfg, tool_format=ToolFormat.NATIVE, model="scripted/model")), life)
        for count in range(0, len(sim.history) + 1, 3):
            cut = evolve(sim, history=sim.history[:count], outstanding=())
            back = walked(evolve(cut, state=ChatState(fold(cut.events))), (Crash(),))
            for body in sent_bodies(finished(walked(finished(back), (Say("and?"),)))):
                assert broken_rule(body) is None

    held()


def test_a_run_resumed_many_times_from_one_paused_value_ends_the_same_each_time() -> None:
    """O16, of whole runs: the value is unchanged, and no tool runs less or more for it."""
    world = fake_world((chat_stream("", (RawCall("shell", '{"command": "make"}'),)),))
    paused = run("go", BUILTIN_TOOLS, evolve(CONFIG, model="scripted/model"), world)
    before = repr(paused.state)
    decided = Decided(questions(paused.state.past)[0].request_id, True, arguments=JsonObject.of(command="ls"))
    kept = tuple(Record(number, event) for number, event in enumerate(world.journal.load("c")))

    def ended() -> RunResult:
        made = {"ls": ProcessEnded(exit_code=0, output="a.txt", cwd="/w")}
        again = fake_world((chat_stream("Done."),), commands=made)
        again.journal.append("c", kept)
        return run(decided, BUILTIN_TOOLS, paused.cfg, again, state=paused.state)

    first = ended()
    assert (first.reply, first.questions) == ("Done.", ())
    assert [ended().state, ended().state] == [first.state, first.state]
    assert repr(paused.state) == before
