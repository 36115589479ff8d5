"""MCP over the standard input and output of a program that we start.

The SDK's own transport reads lines of any length, leaves the program behind when we are killed, and lets its complaints run into our
terminal. Here the program is a ``Child`` (nothing of it outlives us), a message has a bound, and what it printed besides is kept for the
Problem that may come of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import final

import anyio
import mcp_types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from attrs import field, frozen
from mcp.shared.message import SessionMessage

from turnfold.shell.child import Child
from turnfold.shell.clock import monotonic_s
from turnfold.shell.mcp.trouble import Trouble

MAX_MESSAGE_BYTES = 16_000_000
MAX_RUBBISH = 1000  # lines that are no messages
READ_BYTES = 65536
LEAVE_S = 1.0  # from the end of its input until it is killed
TICK_S = 0.01
START = 'echo $$ >&{lifeline}; exec {lifeline}>&- <&{stdin} >&{stdout} {stdin}<&- {stdout}>&-; exec -- "$@"'

Reader = MemoryObjectReceiveStream[SessionMessage | Exception]
Writer = MemoryObjectSendStream[SessionMessage]


@final
@frozen(kw_only=True)
class Program:
    """What is started: its arguments (the first is the program), its folder and its environment."""

    argv: tuple[str, ...]
    cwd: str
    environment: tuple[tuple[str, str], ...] = field(repr=False)


@contextlib.asynccontextmanager
async def stdio_transport(program: Program, trouble: Trouble) -> AsyncIterator[tuple[Reader, Writer]]:
    """The streams of a session with ``program``, which runs while the block does; ``OSError`` or ``ValueError`` where it can't be started."""
    inbox, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, outbox = anyio.create_memory_object_stream[SessionMessage](0)
    with _started(program) as running:
        async with anyio.create_task_group() as tasks, inbox, read_stream, write_stream, outbox:
            tasks.start_soon(_read, running, inbox, trouble)
            tasks.start_soon(_complaints, running.child.output, trouble)
            tasks.start_soon(_write, running, outbox)
            try:
                yield read_stream, write_stream
            finally:
                with anyio.CancelScope(shield=True):
                    await _left(running)
                tasks.cancel_scope.cancel()


@final
class _Running:
    """A program that runs, and our ends of its pipes."""

    __slots__ = ("child", "input", "output")

    def __init__(self, child: Child, input: int, output: int) -> None:
        self.child = child
        self.input = input
        self.output = output

    def close_input(self) -> None:
        """End its input, once."""
        if self.input >= 0:
            os.close(self.input)
            self.input = -1


@contextlib.contextmanager
def _started(program: Program) -> Iterator[_Running]:
    bash = shutil.which("bash", path=dict(program.environment).get("PATH", os.defpath))
    if bash is None:
        raise OSError("bash, which starts it, is not on the PATH")
    with contextlib.ExitStack() as held:
        with contextlib.ExitStack() as theirs:
            stdin, our_input = os.pipe()
            theirs.callback(os.close, stdin)
            output, stdout = os.pipe()
            theirs.callback(os.close, stdout)
            held.callback(os.close, output)
            running = _Running(_child(program, bash, stdin, stdout, our_input), our_input, output)
            held.callback(running.close_input)
        os.set_blocking(our_input, False)
        held.callback(running.child.reap)
        yield running


def _child(program: Program, bash: str, stdin: int, stdout: int, our_input: int) -> Child:
    def argv(lifeline: int) -> tuple[str, ...]:
        return (bash, "-c", START.format(lifeline=lifeline, stdin=stdin, stdout=stdout), "mcp", *program.argv)

    try:
        return Child(argv, program.cwd, dict(program.environment), keep=(stdin, stdout))
    except BaseException:
        os.close(our_input)
        raise


async def _read(running: _Running, inbox: MemoryObjectSendStream[SessionMessage | Exception], trouble: Trouble) -> None:
    """Messages, line by line, until the program ends its output, or says too much; then the session is over."""
    buffer = bytearray()
    async with inbox:
        while data := await _chunk(running.output):
            buffer += data
            *lines, rest = buffer.split(b"\n") if b"\n" in data else (buffer,)
            buffer = bytearray(rest)
            for line in lines:
                if (message := _message(bytes(line), trouble)) is not None:
                    await inbox.send(message)
            if len(buffer) > MAX_MESSAGE_BYTES or trouble.rubbish_lines > MAX_RUBBISH:
                trouble.too_much = True
                break
    trouble.over = True
    if trouble.too_much:
        running.child.kill_session(whole=True)


async def _chunk(descriptor: int) -> bytes:
    await anyio.wait_readable(descriptor)
    return os.read(descriptor, READ_BYTES)


def _message(line: bytes, trouble: Trouble) -> SessionMessage | None:
    if not line.strip():
        return None
    try:
        message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except (ValueError, RecursionError):
        trouble.rubbish(line)
        return None
    trouble.asks(str(getattr(message, "method", "")))
    return SessionMessage(message)


async def _complaints(descriptor: int, trouble: Trouble) -> None:
    while data := await _chunk(descriptor):
        trouble.complaints.feed(data)


async def _write(running: _Running, outbox: MemoryObjectReceiveStream[SessionMessage]) -> None:
    """What is said to the program; nothing any more once it does not read."""
    with contextlib.suppress(BrokenPipeError):
        async for said in outbox:
            left = memoryview(said.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            while left:
                await anyio.wait_writable(running.input)
                left = left[os.write(running.input, left) :]


async def _left(running: _Running) -> None:
    """End its input, and give it a moment to leave by itself."""
    running.close_input()
    deadline_s = monotonic_s() + LEAVE_S
    while not running.child.exited() and monotonic_s() < deadline_s:  # noqa: ASYNC110 - its end is no event of this loop
        await anyio.sleep(TICK_S)
