"""How many tokens a request will have, and how many it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.agent.scripted import after, config, sim
from turnfold.core.agent.context import BYTES_PER_TOKEN, LEAST, MOST, Measured, bytes_per_token, estimated_tokens, room_tokens
from turnfold.core.config.values import ModelProfile
from turnfold.core.world.requests import CallModel
from turnfold.core.world.usage import Usage
from turnfold.testing.moves import Break, Crash, Finish, Say
from turnfold.testing.simulated import Sim, Stream, finished
from turnfold.testing.wire import chat_stream


def counted(tokens: int) -> Stream:
    return Stream(chat_stream("Hi.", usage=Usage(input_tokens=tokens, output_tokens=1)))


def test_what_no_provider_has_counted_has_four_bytes_a_token() -> None:
    done = finished(after(sim(), Say("hi")))
    assert done.state.past.measured == Measured()
    assert bytes_per_token(done.state.past.measured) == BYTES_PER_TOKEN


def test_the_last_reply_says_how_many_bytes_a_token_has() -> None:
    done = finished(after(sim(counted(100)), Say("hi")))
    body = done.performs[-1].body
    assert done.state.past.measured == Measured(size_bytes=len(body), tokens=100)
    assert isinstance(done.performs[-1].request, CallModel)
    assert done.performs[-1].request.size_bytes == len(body)
    assert abs(estimated_tokens(len(body), Measured(size_bytes=len(body), tokens=2_000)) - 2_000) <= 1


def test_what_was_counted_is_in_the_journal() -> None:
    done = finished(after(sim(counted(100)), Say("hi"), Finish(), Crash()))
    assert done.state.past.measured.tokens == 100


@pytest.mark.parametrize("replies", [(counted(100), Stream(chat_stream("Hi."))), (counted(100),)], ids=["no usage", "failed"])
def test_a_reply_that_says_nothing_leaves_what_was_known(replies: tuple[Stream, ...]) -> None:
    begun = Sim(tools=sim().tools, cfg=config(), script=tuple((each,) for each in replies))
    done = finished(after(begun, Say("hi"), Finish(), Say("again"), *(() if len(replies) > 1 else (Break(),))))
    assert done.state.past.measured.tokens == 100


@given(st.integers(0, 10**9), st.integers(-5, 10**9), st.integers(-5, 10**9))
def test_the_estimate_stays_between_sane_bounds_whatever_a_server_counts(size_bytes: int, then_bytes: int, tokens: int) -> None:
    measured = Measured(size_bytes=then_bytes, tokens=tokens)
    assert LEAST <= bytes_per_token(measured) <= MOST
    assert size_bytes / MOST <= estimated_tokens(size_bytes, measured) <= size_bytes / LEAST


@given(st.integers(1, 10**7), st.none() | st.integers(1, 10**8), st.none() | st.integers(1, 10**8), st.none() | st.integers(1, 10**8))
def test_a_request_always_has_half_of_the_window_or_more(window: int, own: int | None, output: int | None, asked: int | None) -> None:
    room = room_tokens(ModelProfile(pattern="*", window_tokens=window, max_tokens=own, output_tokens=output), asked)
    assert room is not None
    assert window / 2 <= room <= window


def test_the_reply_that_is_asked_for_takes_its_room() -> None:
    profile = ModelProfile(pattern="*", window_tokens=1000, max_tokens=200, output_tokens=300)
    assert (room_tokens(profile, 100), room_tokens(profile, None)) == (900, 800)
    assert room_tokens(ModelProfile(pattern="*", window_tokens=1000, output_tokens=300), None) == 700
    assert room_tokens(ModelProfile(pattern="*", window_tokens=1000), None) == 1000
    assert room_tokens(ModelProfile(pattern="*", output_tokens=300), 100) is None
