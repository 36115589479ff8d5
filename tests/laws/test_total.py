"""Law 1: ``step`` and ``execute_command`` return for every state and every input."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.examples import examples
from turnfold.core.agent.draft import Step
from turnfold.core.agent.events import Event
from turnfold.core.agent.inputs import Input
from turnfold.core.agent.state import ChatState
from turnfold.core.agent.step import execute_command, step
from turnfold.core.config.layers import ChatConfig
from turnfold.core.conversation.messages import ToolCall
from turnfold.core.journal import fold, recorded
from turnfold.testing.lives import COMMANDS, calls, lives, sim_configs, sims
from turnfold.testing.moves import Move
from turnfold.testing.sample_tools import ALL_TOOLS
from turnfold.testing.simulated import Sim, walked
from turnfold.testing.strategies import configs, events, inputs, texts


@given(sims(), lives(wild=True))
@examples(120)
def test_step_returns_for_every_state_that_is_reached_and_every_input(sim: Sim, life: tuple[Move, ...]) -> None:
    assert isinstance(walked(sim, life).state, ChatState)


@given(st.lists(events(), max_size=8), st.lists(inputs(), min_size=1, max_size=4), sim_configs() | configs())
@examples(300)
def test_step_returns_for_the_state_of_any_journal_and_every_input(journal: list[Event], given_: list[Input], cfg: ChatConfig) -> None:
    state = ChatState(fold(journal))
    for each in given_:
        stepped = step(state, each, ALL_TOOLS, cfg)
        assert fold(recorded(stepped), state.past) == stepped.state.past
        state = stepped.state


@given(st.sampled_from(COMMANDS) | texts() | texts().map("/".__add__) | calls(), sim_configs() | configs())
@examples(200)
def test_execute_command_returns_for_every_command(command: str | ToolCall, cfg: ChatConfig) -> None:
    assert isinstance(execute_command(command, ALL_TOOLS, cfg), Step)


@given(inputs(), sim_configs())
def test_what_says_nothing_new_changes_nothing(input: Input, cfg: ChatConfig) -> None:
    """A step that records nothing gives the very state that it was given."""
    state = ChatState()
    stepped = step(state, input, ALL_TOOLS, cfg)
    assert recorded(stepped) or stepped.state is state
