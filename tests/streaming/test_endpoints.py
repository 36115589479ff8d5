"""Endpoints that stream, under FastAPI and Starlette, with a real client that hangs up anywhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TypeAlias

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from tests.shell.support import descriptors
from tests.streaming.endpoints import Client, Service, fastapi_app, served, starlette_app
from tests.streaming.support import CFG, PATIENCE_S, Gate, Tools, assert_ended, called, gated_world, journaled, pieces
from turnfold.core.agent.events import Reason, TurnEnded
from turnfold.core.codec.stream import item_untrusted
from turnfold.core.stream import items
from turnfold.core.stream.items import Item
from turnfold.testing.wire import chat_stream

App: TypeAlias = Callable[[Service], "Starlette | FastAPI"]
HELLO = pieces(chat_stream("Hello, this is a reply."))


@pytest.fixture(params=[starlette_app, fastapi_app], ids=["starlette", "fastapi"])
def app(request: pytest.FixtureRequest) -> App:
    chosen: App = request.param
    return chosen


def told(answer: str) -> list[Item]:
    return [item_untrusted(data).unwrap() for data in re.findall(r"^data: (.*)$", answer, re.MULTILINE)]


def text_of(answer: str) -> str:
    return "".join(item.text for item in told(answer) if isinstance(item, items.TextDelta))


def run_ended() -> None:
    """Wait for the end of the runs."""
    for thread in threading.enumerate():
        if thread.name.startswith("turnfold"):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_a_whole_answer_is_the_stream(app: App) -> None:
    tools = Tools()
    tools.quick_gate.opened.set()
    service = Service(tools.in_world(gated_world(pieces(called("quick")), HELLO)), CFG, tools.specs)
    with served(app(service)) as port:
        answer = Client(port, "/chat?said=go").rest()
    assert "text/event-stream" in answer
    assert text_of(answer) == "Let me.Hello, this is a reply."
    assert type(told(answer)[-1]).__name__ == "RunEnded"
    run_ended()


def test_a_client_that_hangs_up_anywhere_ends_its_run_and_nothing_is_left(app: App) -> None:
    worlds = [gated_world((*HELLO[:count], Gate(), *HELLO[count:])) for count in range(len(HELLO))]
    service = Service(gated_world((Gate(),)), CFG)
    with served(app(service)) as port:
        warm = Client(port, "/chat?said=go")
        warm.until(b"ReplyStarted")
        warm.hang_up()
        run_ended()
        before = descriptors()
        for world in worlds:
            service.world = world
            client = Client(port, "/chat?said=go")
            client.until(b"ReplyStarted")
            client.hang_up()
            run_ended()  # though its gate is never opened
            last = journaled(world)[-1]
            assert isinstance(last, TurnEnded)
            assert last.reason is Reason.INTERRUPTED
            assert_ended(world)
        assert len(descriptors()) <= len(before) + 1  # the server's side of the last connection may be on its way


@pytest.mark.parametrize("step", [37])
def test_a_client_that_hangs_up_at_any_byte_ends_its_run(app: App, step: int) -> None:
    tools = Tools()
    service = Service(gated_world(), CFG, tools.specs)
    with served(app(service)) as port:
        for count in range(1, 1300, step):
            tools = Tools()
            service.tools = tools.specs
            service.world = tools.in_world(gated_world((called("slow"),)))
            client = Client(port, "/chat?said=go")
            client.read(count)
            client.hang_up()
            run_ended()
            assert_ended(service.world)
            assert len(tools.began) <= 1


def test_a_run_that_outlives_its_readers_is_joined_where_the_client_was_cut(app: App) -> None:
    for count in range(1, len(HELLO)):
        gate = Gate()
        service = Service(gated_world((*HELLO[:count], gate, *HELLO[count:])), CFG)
        with served(app(service)) as port:
            client = Client(port, "/begin?said=go")
            client.until(b"ReplyStarted")
            gate.arrived()
            client.hang_up()
            whole = client.seen.decode("utf-8", "replace").rpartition("\n\n")[0] + "\n\n"  # a client drops an event that is cut
            (*_, last) = re.findall(r"^id: (.*)$", whole, re.MULTILINE)
            gate.opened.set()
            assert service.streams["c"].result(PATIENCE_S).ended is not None
            rest = Client(port, "/rejoin", last).rest()
        assert text_of(whole) + text_of(rest) == "Hello, this is a reply."
        assert journaled(service.world)[-1].reason is Reason.COMPLETED  # type: ignore[union-attr]  # a turn's end
    run_ended()
