"""The embedded model with its real weights: streaming, cancelling, dying, ending. Skipped where the weights aren't cached."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.shell.embedded.support import WEIGHTS, ask, body, contents, needs_weights, never, pointing
from turnfold.core.config.values import ModelProfile
from turnfold.core.llm.grammar import BlockShape, grammar_of
from turnfold.shell.embedded.beginning import Beginnings
from turnfold.shell.embedded.model import EmbeddedModel, RequestRefused, WeightsUnusable, WorkerDied
from turnfold.shell.embedded.weights import QWEN_CODER_05B


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
said = {"reply": "Count from 1 to 900.", "prompt": "number " * 3000}[sys.argv[2]]
model = EmbeddedModel.start(Path(sys.argv[1]))
model.warm()
def emit(piece):
    print(model.pid, flush=True)
if sys.argv[2] == "prompt":
    emit(b"")
model.stream(b'{"messages": [{"role": "user", "content": "%b"}], "max_tokens": 2000}' % said.encode(), emit, lambda: False)
"""


@needs_weights
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches a process by pidfd")
@pytest.mark.parametrize("amid", ["reply", "prompt"])
def test_a_killed_parent_takes_the_worker_with_it(amid: str) -> None:
    command = [sys.executable, "-c", PARENT, str(WEIGHTS), amid]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        watch = os.pidfd_open(worker)
        parent.kill()
    assert ended(watch, 5.0)


@needs_weights
def test_an_interrupt_of_the_worker_itself_changes_nothing(model: EmbeddedModel) -> None:
    """A terminal's Ctrl-C goes to all processes of its group; what is to end is for the parent to say."""
    pieces: list[bytes] = []

    def interrupt(piece: bytes) -> None:
        pieces.append(piece)
        assert model.pid is not None
        os.kill(model.pid, signal.SIGINT)

    model.stream(body("Count from 1 to 20.", max_tokens=12), interrupt, never)
    assert pieces[-1].endswith(b"[DONE]\n\n")
    assert len(pieces) > 4


@needs_weights
@pytest.mark.parametrize("polls", [0, 3, 9])
def test_a_cancel_while_it_loads_leaves_nothing_half_done(tmp_path: Path, polls: int) -> None:
    weights = pointing(tmp_path)
    profile = ModelProfile(pattern="*", instructions=" ".join(f"Rule {n} is to be brief." for n in range(200)))
    request = json.dumps({"messages": [{"role": "system", "content": profile.instructions}], "max_tokens": 1}).encode()
    with EmbeddedModel.start(weights, Beginnings(profile=profile, weights_sha256=QWEN_CODER_05B.sha256)) as model:
        answers = iter([False] * polls)
        model.stream(request, print, lambda: next(answers, True))
        assert model.pid is None
        assert [path.name for path in tmp_path.iterdir()] == [weights.name]
        assert contents(ask(model, body("Hi", max_tokens=3, grammar='root ::= "hello"'))) == "hello"


# Takes what it was given as standard input for its terminal, as a person's command has it, and is interrupted in mid-reply.
ON_TERMINAL = """
import fcntl, os, signal, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
from turnfold.shell.embedded.model import EmbeddedModel
body = b'{"messages": [{"role": "user", "content": "Count from 1 to 900."}], "max_tokens": 2000}'
with EmbeddedModel.start(Path(sys.argv[1])) as model:
    def emit(piece):
        os.write(1, b"piece %d;" % model.pid)
    try:
        model.stream(body, emit, lambda: False)
    except KeyboardInterrupt:
        os.write(1, b"interrupted")
"""


@needs_weights
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches a process by pidfd")
def test_ctrl_c_on_the_terminal_is_the_parent_s_and_leaves_no_word_of_the_worker() -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-c", ON_TERMINAL, str(WEIGHTS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environment) as parent:
        os.close(slave)
        shown = b""
        while b";" not in shown:
            shown += os.read(master, 1000)
        watch = os.pidfd_open(int(shown.split(b";")[0].removeprefix(b"piece ")))
        os.write(master, b"\x03")
        with suppress(OSError):  # a terminal that nobody has open any more
            while more := os.read(master, 1000):
                shown += more
        assert parent.wait() == 0
    os.close(master)
    assert re.sub(rb"piece \d+;", b"", shown).replace(b"^C", b"") == b"interrupted"
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
