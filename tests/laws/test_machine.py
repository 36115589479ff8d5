"""Laws 1, 3 and 11 as a machine: whatever happens to a conversation, in any order, every step keeps them."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.laws.comparison import assert_balanced, mutable_parts
from tests.laws.examples import examples
from turnfold.core.agent.ids import RequestId
from turnfold.core.agent.inputs import Input
from turnfold.core.agent.state import questions
from turnfold.core.config.values import Rule
from turnfold.core.journal import fold
from turnfold.core.json import JsonObject
from turnfold.testing import moves
from turnfold.testing import simulated as s
from turnfold.testing.lives import COMMANDS, EDITS, RULES, asked, sims
from turnfold.testing.strategies import inputs, request_ids

PICK = st.integers(0, 5)


class ConversationMachine(RuleBasedStateMachine):
    """A conversation with outstanding requests; the rules are all that can reach it."""

    sim: s.Sim

    @initialize(sim=sims())
    def begin(self, sim: s.Sim) -> None:
        self.sim = sim

    def move(self, move: moves.Move) -> None:
        self.sim = s.moved(self.sim, move)

    @rule(move=asked())
    def ask(self, move: moves.Move) -> None:
        self.move(move)

    @rule(command=st.sampled_from(COMMANDS))
    def command(self, command: str) -> None:
        self.move(moves.Command(command))

    @precondition(lambda self: self.sim.outstanding)
    @rule(pick=PICK, size=st.integers(1, 400))
    def deliver(self, pick: int, size: int) -> None:
        self.move(moves.Deliver(pick, size))

    @precondition(lambda self: self.sim.outstanding)
    @rule(pick=PICK)
    def finish(self, pick: int) -> None:
        self.move(moves.Finish(pick))

    @precondition(lambda self: self.sim.outstanding)
    @rule(pick=PICK, mismatched=st.booleans())
    def fail(self, pick: int, mismatched: bool) -> None:
        self.move(moves.Mismatch(pick) if mismatched else moves.Break(pick))

    @precondition(lambda self: self.sim.ghosts)
    @rule(pick=PICK, chunk=st.booleans())
    def late(self, pick: int, chunk: bool) -> None:
        before = self.sim.state
        self.move(moves.Late(pick, chunk))
        assert self.sim.state == before
        assert self.sim.history[-1].step.effects == ()

    @precondition(lambda self: bool(questions(self.sim.state.past)))
    @rule(pick=PICK, allowed=st.booleans(), holds=st.sampled_from(RULES), arguments=st.sampled_from(EDITS))
    def decide(self, pick: int, allowed: bool, holds: Rule | None, arguments: JsonObject | None) -> None:
        self.move(moves.Decide(pick, allowed, holds, arguments))

    @rule()
    def interrupt(self) -> None:
        self.move(moves.Interrupt())

    @rule(for_ms=st.sampled_from((0, 4_000, 60_000)))
    def time(self, for_ms: int) -> None:
        self.move(moves.Pass(for_ms))

    @rule()
    def crash(self) -> None:
        self.move(moves.Crash())

    @rule(request_id=request_ids())
    def unknown(self, request_id: RequestId) -> None:
        self.move(moves.Unknown(request_id))

    @rule(input=inputs())
    def wild(self, input: Input) -> None:
        self.move(moves.Wild(input))

    @invariant()
    def balanced(self) -> None:
        assert_balanced(self.sim)

    @invariant()
    def replayed(self) -> None:
        assert fold(self.sim.events) == self.sim.state.past

    @invariant()
    def waited_for(self) -> None:
        """A running turn has something open, or a driver would wait for ever."""
        state = self.sim.state
        assert state.past.turn is None or self.sim.outstanding or questions(state.past)
        assert state.past.turn is not None or not state.past.queue

    @invariant()
    def immutable(self) -> None:
        assert list(mutable_parts(self.sim.state)) == []


TestConversation = ConversationMachine.TestCase
TestConversation.settings = settings(examples(150), stateful_step_count=30)
