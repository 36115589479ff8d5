"""The parent's side of the embedded model: a worker process that is started when it is needed and kept between calls.

A call hands in the bytes of an OpenAI chat-completions request and gets the bytes of the event stream a server would
have sent, piece by piece. One call runs at a time; others wait. A worker that dies fails the call it was serving, and
the next call starts another one. After `close` no process and no thread is left.

    absent --stream--> loading --READY--> idle --GENERATE--> busy --DONE--> idle
    loading: the worker takes in the beginning that requests share, restored from a file or computed and saved (`beginning`)
    any but absent --the worker's end, a failed start, close--> absent
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, final

from attrs import define, field, frozen

from turnfold.shell.clock import monotonic_s
from turnfold.shell.embedded.beginning import Beginning, Beginnings
from turnfold.shell.embedded.worker import (
    BEGIN,
    CANCEL,
    DONE,
    FAILED,
    GENERATE,
    PIECE,
    READY,
    WINDOW_TOKENS,
    Frame,
    read_frame,
    write_frame,
)

POLL_S = 0.05
# A generation notices a cancel at its next token or batch; one that doesn't in this time is killed with its worker.
CANCEL_GRACE_S = 3.0


class EmbeddedError(Exception):
    """A call of the embedded model that failed; its text is one sentence for a person, with what to do next."""


@final
class EngineMissing(EmbeddedError):
    """The package that runs the model isn't installed."""


@final
class WeightsUnusable(EmbeddedError):
    """The weights can't be loaded: not there, damaged, or too big for the memory."""


@final
class WorkerDied(EmbeddedError):
    """The worker process ended in the middle of a call; the next call starts another."""


@final
class RequestRefused(EmbeddedError):
    """The engine took the request and said no, as a server would with a 4xx or 5xx: the text is the engine's."""


@final
@frozen
class Worker:
    """A running worker: its process, the frames it has sent, and the thread that reads them."""

    process: subprocess.Popen[bytes]
    frames: queue.SimpleQueue[Frame | None]
    reader: threading.Thread
    to_worker: IO[bytes]


@final
@define
class EmbeddedModel:
    """A local model behind one method; made with `start`, ended with `close` or a `with` block."""

    weights: Path
    threads: int = field(factory=lambda: max(1, (os.cpu_count() or 2) // 2))
    window_tokens: int = WINDOW_TOKENS
    beginnings: Beginnings | None = None
    _worker: Worker | None = field(default=None, init=False)
    _turn: threading.Lock = field(factory=threading.Lock, init=False)

    @classmethod
    def start(cls, weights: Path, beginnings: Beginnings | None = None) -> EmbeddedModel:
        """A model on these weights; the process itself starts with the first call, or with `warm`.

        With `beginnings`, what the first call shares with others is taken from a file beside the weights, or put into one.
        """
        return cls(weights, beginnings=beginnings)

    def warm(self) -> None:
        """Load the weights now instead of with the first call; no beginning is taken in."""
        with self._turn:
            self._ready(b"", lambda: False)

    def stream(self, body: bytes, emit: Callable[[bytes], None], cancelled: Callable[[], bool]) -> None:
        """Run one request, giving `emit` the event stream's bytes; returns when it is over, early if `cancelled` says so.

        Raises an EmbeddedError; what was emitted before stays true. `emit` and `cancelled` are called on this thread.
        """
        while not self._turn.acquire(timeout=POLL_S):
            if cancelled():
                return
        try:
            worker = self._ready(body, cancelled)
            if worker is not None:
                self._generate(worker, body, emit, cancelled)
        finally:
            self._turn.release()

    def _generate(self, worker: Worker, body: bytes, emit: Callable[[bytes], None], cancelled: Callable[[], bool]) -> None:
        """Send one request to an idle worker and follow it to its end."""
        try:
            write_frame(worker.to_worker, Frame(GENERATE, body))
        except OSError:
            raise self._died() from None
        try:
            self._follow(worker, emit, cancelled)
        except EmbeddedError:
            raise
        except BaseException:
            # `emit` failed or a signal came: the worker is in mid-reply, and its remaining frames belong to nobody.
            self._end()
            raise

    def close(self) -> None:
        """End the worker, if there is one. A call after this starts a new one."""
        with self._turn:
            self._end()

    def __enter__(self) -> EmbeddedModel:
        """The model itself."""
        return self

    def __exit__(self, *details: object) -> None:
        """End the worker."""
        self.close()

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one."""
        return None if self._worker is None else self._worker.process.pid

    def _ready(self, body: bytes, cancelled: Callable[[], bool]) -> Worker | None:
        """The idle worker, started if there is none; None if cancelled while it loads."""
        if self._worker is not None and self._worker.process.poll() is None:
            return self._worker
        self._end()
        if not self.weights.is_file():
            raise WeightsUnusable(f"{self.weights} is not there: fetch the weights first.")
        beginning = None if self.beginnings is None else self.beginnings.of(body, self.weights.parent)
        try:
            return self._started(beginning, cancelled)
        except WeightsUnusable:
            if beginning is None or not beginning.discard():
                raise
        return self._started(beginning, cancelled)  # not the weights but the beginning's file may have ended it

    def _started(self, beginning: Beginning | None, cancelled: Callable[[], bool]) -> Worker | None:
        """A worker that has loaded and begun; None if cancelled meanwhile. Nothing half done is left behind."""
        worker = self._worker = launch(self.weights, self.threads, self.window_tokens)
        told: bytes | None = None
        try:
            with suppress(OSError):  # a worker that is gone already says why, or that it is
                write_frame(worker.to_worker, Frame(BEGIN, b"" if beginning is None else beginning.order()))
            while (frame := next_frame(worker, POLL_S)) is WAITING:
                if cancelled():
                    return None
            if frame is None or frame.kind != READY:
                raise failed_start(self.weights, frame)
            told = frame.body
        finally:
            if told is None:
                self._end()
            if beginning is not None:
                settled(beginning, told)
        return worker

    def _follow(self, worker: Worker, emit: Callable[[bytes], None], cancelled: Callable[[], bool]) -> None:
        """Pass frames on until the generation is over; after a cancel, drop them, and kill a worker that won't stop."""
        refused: bytes | None = None
        deadline: float | None = None
        while True:
            frame = next_frame(worker, POLL_S)
            if deadline is None and cancelled():
                deadline = monotonic_s() + CANCEL_GRACE_S
                self._cancel(worker)
            if deadline is not None and monotonic_s() > deadline:
                self._end()
                return
            if frame is None:
                raise self._died()
            if frame.kind == PIECE and deadline is None:
                emit(frame.body)
            elif frame.kind == FAILED:
                refused = frame.body
            elif frame.kind == DONE:
                break
        if refused is not None and deadline is None:
            raise RequestRefused(refused.decode("utf-8", "replace"))

    def _cancel(self, worker: Worker) -> None:
        """Ask the worker to stop; one that is gone has stopped."""
        try:
            write_frame(worker.to_worker, Frame(CANCEL))
        except OSError:
            return

    def _died(self) -> WorkerDied:
        """The worker's end, cleared away and put in words."""
        code = None if self._worker is None else self._worker.process.wait()
        self._end()
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return WorkerDied(f"The embedded model's process {how} in the middle of a reply: ask again, and a new one starts.")

    def _end(self) -> None:
        """Kill the worker and wait for its process and its reading thread."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.process.kill()
        worker.process.wait()
        worker.reader.join()
        with suppress(OSError):  # what it still buffers has no reader any more
            worker.to_worker.close()
        if worker.process.stdout is not None:
            worker.process.stdout.close()


def settled(beginning: Beginning, told: bytes | None) -> None:
    """What a worker told of the beginning, drawn to its consequence; None is a worker that didn't get there."""
    if told is None:
        beginning.saved(0)
    elif told.isdigit():
        beginning.discard() if beginning.file is not None else beginning.saved(int(told))


WAITING = Frame(b"")


def next_frame(worker: Worker, timeout_s: float) -> Frame | None:
    """The worker's next frame, None at its end, WAITING if there is none yet."""
    try:
        return worker.frames.get(timeout=timeout_s)
    except queue.Empty:
        return WAITING


def launch(weights: Path, threads: int, window_tokens: int) -> Worker:
    """A worker process that begins to load; its environment is the parent's with passive OpenMP waiting."""
    command = [sys.executable, "-m", "turnfold.shell.embedded.worker", str(weights), str(threads), str(window_tokens)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(os.environ),
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise WorkerDied("The embedded model's process has no pipes.")
    frames: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
    reader = threading.Thread(target=collect, args=(process.stdout, frames), name="turnfold-embedded-reader", daemon=True)
    reader.start()
    return Worker(process, frames, reader, process.stdin)


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment: this package importable as it is here, idle threads asleep, no debugger called when it aborts."""
    paths = os.pathsep.join(part for part in sys.path if part)
    return {**base, "OMP_WAIT_POLICY": "PASSIVE", "GGML_NO_BACKTRACE": "1", "PYTHONPATH": paths}


def collect(pipe: IO[bytes], frames: queue.SimpleQueue[Frame | None]) -> None:
    """Read frames until the pipe ends, and say that it has."""
    while (frame := read_frame(pipe)) is not None:
        frames.put(frame)
    frames.put(None)


def failed_start(weights: Path, frame: Frame | None) -> EmbeddedError:
    """Why a worker didn't come up, from the frame it sent before it ended, if any."""
    reason = "" if frame is None else frame.body.decode("utf-8", "replace")
    if reason.startswith(("ModuleNotFoundError", "ImportError")):
        return EngineMissing(f"The embedded model needs the package xllamacpp ({reason}): pip install 'turnfold[local]'.")
    told = reason or "its process ended without a word, as one does that runs out of memory"
    return WeightsUnusable(f"{weights} can't be loaded ({told}): free some memory, or delete the file and fetch it again.")
