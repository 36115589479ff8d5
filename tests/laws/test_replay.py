"""Law 3: folding the journal gives the live state's ``past``, byte for byte, whatever the hash seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

from hypothesis import given

from tests.laws.comparison import sent_bodies, written
from tests.laws.examples import examples
from turnfold.core.codec.codec import EVENT, PAST, decode_untrusted, encode
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject, dumps
from turnfold.core.llm.reply import RawCall
from turnfold.testing.lives import CALLS, lives, sims
from turnfold.testing.moves import Command, Crash, Decide, Deliver, Finish, Move, Say
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import CONFIG, Sim, Stream, finished, walked
from turnfold.testing.wire import chat_stream


@given(sims(), lives(wild=True))
@examples(100)
def test_the_fold_of_what_was_recorded_is_the_past(sim: Sim, life: tuple[Move, ...]) -> None:
    after = walked(sim, life)
    past = fold(())
    for taken in after.history:
        past = fold((effect.event for effect in taken.step.effects if hasattr(effect, "event")), past)
        assert past == taken.step.state.past


@given(sims(), lives())
@examples(60)
def test_the_fold_of_what_was_stored_is_the_past_byte_for_byte(sim: Sim, life: tuple[Move, ...]) -> None:
    after = finished(walked(sim, life))
    stored = [decode_untrusted(EVENT, text).unwrap() for text in written(after.events)]
    assert fold(stored) == after.state.past
    assert encode(PAST, fold(stored)) == encode(PAST, after.state.past)


def a_life() -> Sim:
    """A conversation that uses nearly everything, always the same."""
    called = tuple(RawCall(call.name, dumps(call.arguments)) for call in CALLS)
    rows = tuple((Stream(chat_stream("Let me.", called[at : at + 4])), Stream(chat_stream("It is."))) for at in range(0, len(called), 4))
    moves = (Say("one"), Deliver(0, 90), Finish(), Crash(), Finish(), Decide(0, allowed=False), Say("two"), Say("three"), Say("four"))
    done = finished(walked(Sim(tools=ALL_TOOLS, cfg=CONFIG, script=rows), moves))
    return finished(walked(done, (Command(ToolCall("shell", JsonObject.of(command="export A=1"))), Command("/undo"), Say("five"))))


def digest() -> str:
    """What must not depend on the process: the journal, the past, and all that was sent."""
    sim = a_life()
    parts = (
        *(text.encode() for text in written(sim.events)),
        encode(PAST, sim.state.past).encode(),
        *sent_bodies(sim),
        repr(sim.state).encode(),
    )
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def test_another_hash_seed_gives_the_same_bytes() -> None:
    program = "import tests.laws.test_replay as t; print(t.digest())"
    found = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
        found.add(ended.stdout.strip())
    assert found == {digest()}
    assert a_life().state.idle
