"""The exporters that a conversation's config names, made for a run of it on this machine."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import assert_never, final

from attrs import frozen
from typing_extensions import override

from turnfold.core.config.layers import ChatConfig
from turnfold.core.config.tables import Exporter, ExporterKind
from turnfold.shell.exporting.otlp import OtlpSink
from turnfold.shell.exporting.sinks import ConsoleSink, LineSink
from turnfold.shell.line import Line
from turnfold.shell.ports import Exporters, Secrets, Sink, Tap


def on_terminal(text: str) -> None:
    """Write ``text`` to standard error."""
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


def new_line() -> Line:
    """A line over HTTP; imports the HTTP library."""
    from turnfold.shell.http_line import line_maker

    return line_maker()()


@final
@frozen(eq=False)
class LocalExporters(Exporters):
    """Makes the sinks of ``cfg.exporters``: each run has its own."""

    secrets: Secrets
    folder: Path
    write: Callable[[str], None] = on_terminal

    @override
    def taps(self, cfg: ChatConfig) -> tuple[Tap, ...]:
        return tuple(Tap(settings, self._sink(settings, cfg)) for settings in cfg.exporters)

    def _sink(self, settings: Exporter, cfg: ChatConfig) -> Sink:
        match settings.kind:
            case ExporterKind.JSON_LINES:
                return LineSink(self._path(settings, cfg))
            case ExporterKind.CONSOLE:
                return ConsoleSink(self.write)
            case ExporterKind.OTLP:
                return OtlpSink(settings, self.secrets, new_line)
            case _:
                assert_never(settings.kind)

    def _path(self, settings: Exporter, cfg: ChatConfig) -> Path:
        """The file that lines go to: the one named, seen from the workspace, else one of the exporter's name in ``folder``."""
        if not settings.path:
            return self.folder / f"{settings.name}.jsonl"
        path = Path(settings.path)
        with contextlib.suppress(RuntimeError):  # no home for ~
            path = path.expanduser()
        return Path(cfg.workspace or "/") / path
