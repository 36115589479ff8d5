"""The embedded model with its real weights: streaming, cancelling, dying, ending. Skipped where the weights aren't cached."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from turnfold.core.llm.grammar import BlockShape, grammar_of
from turnfold.shell.embedded.model import EmbeddedModel, RequestRefused, WeightsUnusable, WorkerDied
from turnfold.shell.embedded.weights import QWEN_CODER_05B

WEIGHTS = Path(os.environ.get("TURNFOLD_TEST_WEIGHTS", Path.home() / ".cache" / "turnfold" / "models")) / QWEN_CODER_05B.name
needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason=f"the embedded weights are not cached at {WEIGHTS}")


def never() -> bool:
    """Not cancelled."""
    return False


def body(text: str, **more: object) -> bytes:
    """A request with one user message."""
    return json.dumps({"messages": [{"role": "user", "content": text}], "temperature": 0, **more}).encode()


def contents(stream: bytes) -> str:
    """The reply's text in an event stream."""
    events = [event.removeprefix("data: ") for event in stream.decode().split("\n\n") if event]
    deltas = [choice["delta"] for event in events if event != "[DONE]" for choice in json.loads(event)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def ask(model: EmbeddedModel, request: bytes) -> bytes:
    """The whole event stream of one request."""
    pieces: list[bytes] = []
    model.stream(request, pieces.append, never)
    return b"".join(pieces)


@pytest.fixture(scope="module")
def model() -> Iterator[EmbeddedModel]:
    """One model for the tests that leave it whole."""
    with EmbeddedModel.start(WEIGHTS) as started:
        yield started


@needs_weights
def test_a_reply_is_an_openai_event_stream(model: EmbeddedModel) -> None:
    stream = ask(model, body("Say hello.", max_tokens=8))
    assert stream.endswith(b"data: [DONE]\n\n")
    assert all(event.startswith(b"data: ") for event in stream.split(b"\n\n") if event)
    assert contents(stream)


@needs_weights
def test_the_same_request_gives_the_same_text(model: EmbeddedModel) -> None:
    first, second = (contents(ask(model, body("Name three colours.", max_tokens=16))) for _ in range(2))
    assert first == second


@needs_weights
def test_a_grammar_made_from_tools_holds_the_reply(model: EmbeddedModel) -> None:
    shapes = (BlockShape(name="shell", body="command"), BlockShape(name="read", header=("path",)))
    reply = contents(ask(model, body("List the files with a shell block.", max_tokens=60, grammar=grammar_of(shapes, must_call=True))))
    lines = reply.split("\n")
    fences = [line for line in lines if line.startswith("```")]
    assert len(fences) == 2
    assert fences[1] == "```" == lines[-1]


@needs_weights
def test_a_shared_beginning_is_not_computed_again(model: EmbeddedModel) -> None:
    long = " ".join(f"word{n}" for n in range(80))
    seen: list[bytes] = []
    options = {"max_tokens": 1, "stream_options": {"include_usage": True}}
    seen.extend(ask(model, body(f"{long} {tail}", **options)) for tail in ("one", "two"))
    usage = [json.loads(event[6:]) for event in seen[1].decode().split("\n\n") if '"timings"' in event][-1]
    assert usage["timings"]["cache_n"] > 200 > usage["timings"]["prompt_n"]


@needs_weights
def test_a_cancel_ends_the_reply_and_the_worker_stays(model: EmbeddedModel) -> None:
    pieces: list[bytes] = []
    model.stream(body("Count from 1 to 500.", max_tokens=500), pieces.append, lambda: len(pieces) > 4)
    pid = model.pid
    assert 4 < len(pieces) < 400
    assert not pieces[-1].endswith(b"[DONE]\n\n")
    assert ask(model, body("Hi", max_tokens=2)).endswith(b"data: [DONE]\n\n")
    assert model.pid == pid


@needs_weights
@pytest.mark.parametrize("request_body", [body("Hi", grammar="root ::= nothing"), b'{"no json', b"[]", b"{}"])
def test_a_refused_request_is_one_failure_and_the_worker_stays(model: EmbeddedModel, request_body: bytes) -> None:
    with pytest.raises(RequestRefused):
        ask(model, request_body)
    assert ask(model, body("Hi", max_tokens=1))


@needs_weights
def test_a_worker_killed_in_mid_reply_fails_that_call_only() -> None:
    with EmbeddedModel.start(WEIGHTS) as model:

        def kill(piece: bytes) -> None:
            if model.pid is not None:
                os.kill(model.pid, signal.SIGKILL)

        with pytest.raises(WorkerDied, match="signal 9"):
            model.stream(body("Count from 1 to 500.", max_tokens=500), kill, never)
        assert ask(model, body("Hi", max_tokens=1)).endswith(b"data: [DONE]\n\n")


@needs_weights
@pytest.mark.parametrize("failure", [KeyboardInterrupt, BrokenPipeError])
def test_a_failing_reader_ends_the_call_and_the_next_one_starts_clean(failure: type[BaseException]) -> None:
    with EmbeddedModel.start(WEIGHTS) as model:

        def fail(piece: bytes) -> None:
            raise failure

        with pytest.raises(failure):
            model.stream(body("Count from 1 to 500.", max_tokens=500), fail, never)
        assert contents(ask(model, body("Hi", max_tokens=3, grammar='root ::= "hello"'))) == "hello"


@needs_weights
def test_calls_wait_for_their_turn_and_a_waiting_one_can_be_cancelled(model: EmbeddedModel) -> None:
    first: list[bytes] = []
    outcomes: list[bytes] = []
    begun = threading.Event()

    def note(piece: bytes) -> None:
        first.append(piece)
        begun.set()

    running = threading.Thread(target=lambda: model.stream(body("Count from 1 to 40.", max_tokens=60), note, never))
    running.start()
    assert begun.wait(30)
    model.stream(body("Hi", max_tokens=2), outcomes.append, lambda: True)
    assert outcomes == []
    model.stream(body("Hi", max_tokens=2), outcomes.append, never)
    running.join()
    assert first[-1].endswith(b"[DONE]\n\n")
    assert outcomes[-1].endswith(b"[DONE]\n\n")


@needs_weights
def test_a_cancel_in_a_long_prompt_is_noticed_before_the_prompt_ends(model: EmbeddedModel) -> None:
    pieces: list[bytes] = []
    answers = iter([False] * 6)
    model.stream(body(" ".join(f"number {n}" for n in range(1500)), max_tokens=5), pieces.append, lambda: next(answers, True))
    assert pieces == []


@needs_weights
def test_nothing_is_left_after_close() -> None:
    before = threading.active_count()
    model = EmbeddedModel.start(WEIGHTS)
    model.warm()
    pid = model.pid
    assert pid is not None
    model.close()
    model.close()
    assert threading.active_count() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@needs_weights
@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")
def test_the_worker_listens_on_no_port(model: EmbeddedModel) -> None:
    model.warm()
    links = [str(link.readlink()) for link in Path(f"/proc/{model.pid}/fd").iterdir()]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    assert not [row for row in rows if row[3] == "0A" and row[9] in inodes]


PARENT = """
import sys
from pathlib import Path
from turnfold.shell.embedded.model import EmbeddedModel
model = EmbeddedModel.start(Path(sys.argv[1]))
model.warm()
def emit(piece):
    print(model.pid, flush=True)
body = b'{"messages": [{"role": "user", "content": "Count from 1 to 900."}], "max_tokens": 2000}'
model.stream(body, emit, lambda: False)
"""


@needs_weights
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches a process by pidfd")
def test_a_killed_parent_takes_the_worker_with_it_in_mid_reply() -> None:
    command = [sys.executable, "-c", PARENT, str(WEIGHTS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        watch = os.pidfd_open(worker)
        parent.kill()
    assert ended(watch, 5.0)


def ended(watch: int, timeout_s: float) -> bool:
    """The process behind this pidfd ends within the time; it is waited for, not slept for."""
    try:
        return bool(select.select([watch], [], [], timeout_s)[0])
    finally:
        os.close(watch)


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with EmbeddedModel.start(tmp_path / "absent.gguf") as model, pytest.raises(WeightsUnusable, match=r"absent\.gguf is not there"):
        model.warm()


def test_weights_that_are_damaged_are_named(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "bad.gguf").write_bytes(b"no weights")
    with EmbeddedModel.start(tmp_path / "bad.gguf") as model, pytest.raises(WeightsUnusable, match=r"bad\.gguf can't be loaded"):
        model.warm()
