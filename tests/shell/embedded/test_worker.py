"""The worker's parts without an engine: frames, requests, chunks, and the slot's beginning over a scripted port."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import final

import pytest
from attrs import define, field

from turnfold.shell.embedded.slot import Loaded, begun
from turnfold.shell.embedded.worker import DONE, FAILED, GENERATE, PIECE, Frame, generate, read_frame, write_frame
from turnfold.testing.server import ScriptedReply, ScriptedServer

CHUNK = b'{"choices":[{"delta":{"content":"Hi"}}]}'
PROGRESS = b'{"choices":[],"prompt_progress":{"total":3}}'
ERROR = b'{"error":{"message":"no"}}'


@final
@define
class FakeEngine:
    """Calls back with these chunks until it is told to stop, or fails."""

    chunks: tuple[bytes, ...] = ()
    failure: Exception | None = None
    listening_address: str = "http://127.0.0.1:1"
    asked: list[bytes] = field(factory=list)
    given: int = 0

    def handle_chat_completions(self, body: bytes, callback: Callable[[bytes], bool]) -> None:
        self.asked.append(body)
        for chunk in self.chunks:
            self.given += 1
            if callback(chunk):
                return
        if self.failure is not None:
            raise self.failure


def generated(engine: FakeEngine, body: bytes = b'{"messages":[]}', *, stopped: bool = False) -> list[Frame]:
    sent: list[Frame] = []
    generate(engine, body, sent.append, lambda: stopped)
    return sent


@pytest.mark.parametrize("frame", [Frame(DONE), Frame(GENERATE, b"{}"), Frame(PIECE, bytes(range(256)) * 300)])
def test_a_frame_is_read_as_it_was_written_and_one_that_is_cut_is_the_end(frame: Frame) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, frame)
    written = pipe.getvalue()
    assert read_frame(io.BytesIO(written)) == frame
    assert all(read_frame(io.BytesIO(written[:size])) is None for size in (0, 3, len(written) - 1))


def test_a_reply_is_passed_on_as_events_and_reports_of_progress_are_not() -> None:
    engine = FakeEngine(chunks=(PROGRESS, CHUNK, CHUNK))
    event = Frame(PIECE, b"data: " + CHUNK + b"\n\n")
    assert generated(engine, b'{"messages":[],"stream":false}') == [event, event, Frame(PIECE, b"data: [DONE]\n\n")]
    assert json.loads(engine.asked[0]) == {"messages": [], "stream": True, "cache_prompt": True, "return_progress": True}


def test_a_stop_is_noticed_with_the_next_chunk_be_it_progress() -> None:
    engine = FakeEngine(chunks=(PROGRESS, CHUNK, CHUNK))
    generated(engine, stopped=True)
    assert engine.given == 1


def test_an_error_s_chunk_ends_the_reply_as_failed() -> None:
    engine = FakeEngine(chunks=(CHUNK, ERROR, CHUNK))
    assert generated(engine)[1] == Frame(FAILED, ERROR)
    assert engine.given == 2


@pytest.mark.parametrize("body", [b"[]", b"3", b"{no", b"\xff"])
def test_a_request_that_is_no_object_is_refused_before_the_engine_sees_it(body: bytes) -> None:
    engine = FakeEngine()
    (frame,) = generated(engine, body)
    assert (frame.kind, engine.asked) == (FAILED, [])


def test_what_the_engine_raises_is_told() -> None:
    assert generated(FakeEngine(failure=RuntimeError("no grammar"))) == [Frame(FAILED, b"no grammar")]


MESSAGES = [{"role": "system", "content": "Be brief."}]


def order(**names: str) -> bytes:
    return json.dumps({"messages": MESSAGES, **names}).encode()


def answer(status: int = 200, **members: int) -> ScriptedReply:
    return ScriptedReply(status=status, headers=(("Content-Type", "application/json"),), chunks=(json.dumps(members).encode(),))


def test_without_an_order_nothing_is_done() -> None:
    engine = FakeEngine()
    assert (begun(Loaded(engine, "key"), b""), engine.asked) == (b"", [])


def test_a_restored_beginning_is_not_read() -> None:
    with ScriptedServer((answer(n_read=9),)) as server:
        engine = FakeEngine(listening_address=server.base_url.removesuffix("/v1"))
        assert begun(Loaded(engine, "key"), order(restore="a.state")) == b"restored"
        (seen,) = server.requests
    assert (seen.path, seen.header("authorization")) == ("/slots/0?action=restore", "Bearer key")
    assert (json.loads(seen.body), engine.asked) == ({"filename": "a.state"}, [])


def test_a_beginning_that_is_read_is_saved_and_its_size_told() -> None:
    with ScriptedServer((answer(n_written=7),)) as server:
        engine = FakeEngine(listening_address=server.base_url.removesuffix("/v1"))
        assert begun(Loaded(engine, "key"), order(save="a.part")) == b"7"
    asked = json.loads(engine.asked[0])
    assert (asked["messages"], asked["max_tokens"]) == (MESSAGES, 0)


@pytest.mark.parametrize(
    "reply", [answer(status=400), ScriptedReply(chunks=(b"<html>",)), ScriptedReply(chunks=(b"[3]",)), ScriptedReply(cut=True)]
)
def test_a_file_that_the_engine_refuses_is_read_instead(reply: ScriptedReply) -> None:
    with ScriptedServer((reply,)) as server:
        engine = FakeEngine(listening_address=server.base_url.removesuffix("/v1"))
        assert begun(Loaded(engine, "key"), order(restore="a.state")) == b"0"
    assert len(engine.asked) == 1


@pytest.mark.parametrize("names", [{"save": ""}, {"save": "a.part"}])
def test_what_cannot_be_saved_is_read_all_the_same(names: dict[str, str]) -> None:
    engine = FakeEngine()  # nobody listens at its address
    assert begun(Loaded(engine, "key"), order(**names)) == b"0"
    assert len(engine.asked) == 1


def test_a_beginning_that_the_engine_does_not_take_is_left_out() -> None:
    assert begun(Loaded(FakeEngine(failure=RuntimeError("no")), "key"), order(save="a.part")) == b"0"
