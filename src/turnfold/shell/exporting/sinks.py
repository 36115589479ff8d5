"""Where spans go on this machine: a file of JSON lines, and the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import final

from attrs import frozen
from typing_extensions import override

from turnfold.core.problem import caller_problem
from turnfold.core.tools.preview import visible
from turnfold.core.trace.console import console_text
from turnfold.core.trace.lines import dropped_line, span_line
from turnfold.shell.ports import Batch, NotSent, Sink
from turnfold.shell.scope import Scope


@final
@frozen(eq=False)
class LineSink(Sink):
    """Appends spans to a file, a line each; the file is made for its owner alone."""

    path: Path

    @override
    def send(self, batch: Batch, scope: Scope) -> NotSent | None:
        lines = "".join((*map(span_line, batch.spans), *((dropped_line(batch.dropped),) if batch.dropped else ())))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                rest = memoryview(lines.encode(errors="replace"))
                while rest:
                    rest = rest[file.write(rest) :]
        except OSError as error:
            message = f"{self.path} could not be written ({error.strerror or error}): name another file, or make room."
            return NotSent(caller_problem("not-written", message))
        return None

    @override
    def close(self) -> None:
        """Nothing is open between two batches."""


@final
@frozen(eq=False)
class ConsoleSink(Sink):
    """Writes spans to a terminal, as trees of what has ended."""

    write: Callable[[str], None]

    @override
    def send(self, batch: Batch, scope: Scope) -> NotSent | None:
        self.write(visible(console_text(batch.spans, batch.dropped)))
        return None

    @override
    def close(self) -> None:
        """The terminal is not ours to close."""
