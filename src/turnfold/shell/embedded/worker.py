"""The embedded model's process: llama.cpp in a process of its own, spoken to over two pipes.

It is a process of its own because llama.cpp needs OMP_WAIT_POLICY in its environment before it is loaded, logs to
stderr, and can take the whole process down; and because a process that is killed leaves nothing behind.

A frame is a four-byte big-endian length, that many bytes, the first of which says what the frame is:

    to the worker     B order   the beginning that requests share (once, first): see `slot.begun`; may be empty
                      G body    generate: the bytes of an OpenAI chat-completions request
                      C         cancel what is being generated; nothing happens if nothing is
    from the worker   R told    ready (once, first): the weights are loaded, and the beginning was restored or saved
                      S bytes   a piece of the reply: the bytes of an OpenAI server-sent event stream, as a server would send them
                      E text    the generation failed, or the weights can't be loaded (then the worker ends)
                      D         the generation is over (done, cancelled or failed)

One generation runs at a time. SIGINT is for the parent to judge, and ignored here. The end of stdin ends the worker at once, in mid-generation too: the parent is gone.
A prompt that begins as the one before it is computed from where they part, since there is one slot and its cache stays.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, final

from attrs import define, field, frozen

from turnfold.shell.embedded.slot import Engine, Loaded, begun

BEGIN, GENERATE, CANCEL, READY, PIECE, FAILED, DONE = b"B", b"G", b"C", b"R", b"S", b"E", b"D"
LENGTH_BYTES = 4
WINDOW_TOKENS = 8192
# Small enough that a cancel during a long prompt is noticed within a second or two on one slow core.
BATCH_TOKENS = 128


@final
@frozen
class Frame:
    """One message on a pipe."""

    kind: bytes
    body: bytes = b""


def write_frame(pipe: IO[bytes], frame: Frame) -> None:
    """Write one frame and flush it; a closed pipe raises OSError."""
    content = frame.kind + frame.body
    pipe.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> Frame | None:
    """The next frame, or None where the pipe ends, be it in the middle of a frame."""
    head = pipe.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    size = int.from_bytes(head, "big")
    content = pipe.read(size)
    return Frame(content[:1], content[1:]) if size and len(content) == size else None


@final
@define(slots=True)
class Turn:
    """What the reading thread tells the generating one: which generation was asked to stop. Shared, so it may change."""

    stop: threading.Event = field(factory=threading.Event)
    bodies: queue.SimpleQueue[bytes] = field(factory=queue.SimpleQueue)


def listen(pipe: IO[bytes], turn: Turn) -> None:
    """Pass on what the parent sends until it is gone; then end this process, whatever it is doing."""
    while (frame := read_frame(pipe)) is not None:
        if frame.kind == CANCEL:
            turn.stop.set()
        elif frame.kind in (BEGIN, GENERATE):
            turn.stop.clear()
            turn.bodies.put(frame.body)
    os._exit(0)


def load(weights: Path, threads: int, window: int) -> Loaded:
    """The running engine, its port still open; raises RuntimeError where llama.cpp can't load the weights."""
    import xllamacpp  # here, after stdout and stderr are safe from what it prints

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = window
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = False
    params.fit_params = False  # the window is ours to choose, and looking for one that fits loads the weights twice
    params.cache_ram_mib = 0
    params.slot_save_path = f"{weights.parent}/"
    key = os.urandom(16).hex()
    params.api_keys = [key]
    params.cors_origins = ""
    return Loaded(xllamacpp.Server(params), key)


def close_listeners() -> None:
    """Shut every listening socket of this process: the engine's loopback port is of no more use once the slot has begun.

    Where a platform refuses, the port stays, guarded by a key nobody knows.
    """
    for number in range(3, 256):
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        with copy:
            try:
                if copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    copy.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def request_of(body: bytes) -> bytes:
    """The request as the engine gets it: always streamed, the prompt cached, progress told so that a cancel is noticed in time."""
    request = json.loads(body)
    if not isinstance(request, dict):
        raise TypeError("the request is no JSON object")
    return json.dumps({**request, "stream": True, "cache_prompt": True, "return_progress": True}).encode()


def generate(engine: Engine, body: bytes, send: Callable[[Frame], None], stopped: Callable[[], bool]) -> None:
    """Run one request, sending a piece for each chunk; a failure is sent as one frame."""

    def chunk(raw: bytes) -> bool:
        kind = kind_of_chunk(raw)
        if kind == FAILED:
            send(Frame(FAILED, raw))
        elif kind == PIECE:
            send(Frame(PIECE, b"data: " + raw + b"\n\n"))
        return stopped() or kind == FAILED

    try:
        engine.handle_chat_completions(request_of(body), chunk)
    except (RuntimeError, TypeError, ValueError) as error:
        send(Frame(FAILED, str(error).encode()))
    else:
        send(Frame(PIECE, b"data: [DONE]\n\n"))


def kind_of_chunk(raw: bytes) -> bytes:
    """PIECE for what belongs to the reply, FAILED for an error, CANCEL for a report of progress, which is for nobody."""
    chunk = json.loads(raw)
    if "choices" not in chunk:
        return FAILED
    return CANCEL if "prompt_progress" in chunk else PIECE


def serve(weights: Path, threads: int, window: int, source: IO[bytes], sink: IO[bytes]) -> int:
    """Load the weights and answer requests until the parent is gone; 1 where they can't be loaded."""
    turn = Turn()
    threading.Thread(target=listen, args=(source, turn), daemon=True).start()

    def send(frame: Frame) -> None:
        try:
            write_frame(sink, frame)
        except OSError:
            os._exit(0)

    try:
        loaded = load(weights, threads, window)
    except Exception as error:  # noqa: BLE001  # whatever llama.cpp or its import raises is told to the parent
        send(Frame(FAILED, f"{type(error).__name__}: {error}".encode()))
        return 1
    told = begun(loaded, turn.bodies.get())
    close_listeners()
    send(Frame(READY, told))
    while True:
        body = turn.bodies.get()
        generate(loaded.engine, body, send, turn.stop.is_set)
        send(Frame(DONE))


def main(argv: list[str]) -> int:
    """`worker WEIGHTS THREADS WINDOW`: keep the pipes for the protocol, and turn what the library prints away from them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    weights, threads, window = argv
    return serve(Path(weights), int(threads), int(window), source, sink)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
