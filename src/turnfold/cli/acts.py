"""Acts and results as a person sees them: what is done in one line, its diff or code below, its outcome in a frame."""

from __future__ import annotations

from turnfold.cli.style import Piece, Style
from turnfold.core.config.layers import ChatConfig
from turnfold.core.tools.output import counted, limit_text
from turnfold.core.tools.preview import LIMIT_BYTES, preview, surroundings, visible
from turnfold.core.tools.textlines import clipped
from turnfold.core.world.answers import Exchange
from turnfold.core.world.permission import relative
from turnfold.core.world.requests import ListFiles, ReadFile, Request, RunProcess, RunPython, StartJob, WriteFile

DETAIL_LINES = 40  # of a diff or of code that a rule allowed
RESULT_LINES = 30
RESULT_BYTES = 4000
LINE_CHARS = 500


def act_pieces(
    request: Request, exchanges: tuple[Exchange, ...], cfg: ChatConfig, *, whole: bool = False, limit_bytes: int = LIMIT_BYTES
) -> tuple[Piece, ...]:
    """What is about to be done; ``whole``: for a person who has to decide, with each text up to ``limit_bytes``, else in short."""
    details = preview(request, exchanges, cfg, limit_bytes).split("\n")
    match request:
        case ReadFile(path=path):
            return (_act(f"read {relative(path, cfg.workspace)}"),)
        case ListFiles(path=path):
            return (_act(f"list {relative(path, cfg.workspace)}"),)
        case WriteFile(path=path):
            return (_act(details[0] if whole else f"write {relative(path, cfg.workspace)}"), *_details(tuple(details[1:]), whole=whole))
        case RunProcess(script=script) | StartJob(script=script):
            return _run("run", script, request, cfg, whole=whole)
        case RunPython(code=code):
            return _run("python", code, request, cfg, whole=whole)
        case _:
            return (Piece(details[0] + "\n", Style.ACT), *_details(tuple(details[1:]), whole=whole))


def _run(kind: str, text: str, request: RunProcess | StartJob | RunPython, cfg: ChatConfig, *, whole: bool) -> tuple[Piece, ...]:
    """A script or code, whole in any case; for a person who has to decide, with all that it runs with."""
    lines = text.strip().split("\n")
    place = (f"in {visible(request.cwd)}",) if whole and request.cwd != cfg.workspace else ()
    around = (*(surroundings(request) if whole else ()), *place)
    if len(lines) == 1:
        return (_act(f"{kind}: {lines[0]}", whole=whole), *_details(around, whole=True))
    return (_act(f"{kind}:"), *_details((*visible("\n".join(lines)).split("\n"), *around), whole=whole))


def _act(text: str, *, whole: bool = False) -> Piece:
    return Piece(visible(text if whole else clipped(text, LINE_CHARS)).replace("\n", "\\n") + "\n", Style.ACT)


def _details(lines: tuple[str, ...], *, whole: bool) -> tuple[Piece, ...]:
    shown = lines if whole else _bounded(lines, DETAIL_LINES)
    return tuple(Piece(f"  {line if whole else clipped(line, LINE_CHARS)}\n", _style(line)) for line in shown)


def _style(line: str) -> Style:
    marks = {"+": Style.ADDED, "-": Style.REMOVED, "@": Style.DIM}
    return marks.get(line[:1], Style.PLAIN)


def _bounded(lines: tuple[str, ...], most: int) -> tuple[str, ...]:
    if len(lines) <= most:
        return lines
    head, tail = most * 2 // 3, most - most * 2 // 3
    return (*lines[:head], f"… {counted(len(lines) - most, 'more line')} …", *lines[-tail:])


def result_pieces(tool: str, text: str, *, ok: bool) -> tuple[Piece, ...]:
    """What came of a call: its output framed and bounded, marked where it failed."""
    shown = visible(limit_text(text.replace("\r\n", "\n"), RESULT_BYTES)).rstrip("\n")
    lines = _bounded(tuple(shown.split("\n")), RESULT_LINES)
    failed = () if ok else (Piece(f"  ✗ {visible(tool)} failed\n", Style.BAD),)
    return (*failed, *(Piece(f"  │ {clipped(line, LINE_CHARS)}\n", Style.PLAIN if ok else Style.REMOVED) for line in lines))
