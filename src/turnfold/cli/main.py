"""The command ``turnfold``: arguments to exit code. No traceback reaches a person: each end is one sentence.

What a plan needs is imported when it is carried out, so that ``--help`` waits for nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from turnfold.cli.arguments import (
    Checkup,
    Configuring,
    Importing,
    Listing,
    ModelList,
    Plan,
    Showing,
    Talk,
    Told,
    Tracing,
    Version,
    parse_arguments,
)
from turnfold.cli.exits import Exit


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (by default the process's own), and say how it ended."""
    plan: Plan | None = None
    try:
        plan = parse_arguments(sys.argv[1:] if argv is None else argv)
        return int(_done(plan))
    except KeyboardInterrupt:
        _complain("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _silence()
        if isinstance(plan, Talk):
            _complain("nobody reads the output any more, so the run was stopped.  turnfold --resume  goes on with it")
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001 - the last place: a person gets a sentence, whatever it was
        return _failed(error)


def _done(plan: Plan) -> int:
    match plan:
        case Told(text=text, code=code):
            if code == Exit.DONE:
                _print((text,))
            else:
                _complain(text)
            return code
        case Version():
            _print((f"turnfold {_version()}\n",))
            return Exit.DONE
        case Talk():
            return _talk(plan)
        case Listing() | Showing() | Tracing():
            return _stored(plan)
        case ModelList():
            return _models(plan)
        case Checkup(workspace=workspace):
            return _doctor(workspace)
        case Importing(workspace=workspace):
            return _import(plan, workspace)
        case Configuring():
            return _config(plan)


def _version() -> str:
    from importlib.metadata import version

    return version("turnfold")


def _talk(plan: Talk) -> int:
    from turnfold.cli.screen import Streams
    from turnfold.cli.talk import talk

    out, err = _stream(sys.stdout), _stream(sys.stderr)
    return talk(plan, Streams(out=out, err=err, colour=_coloured(out), json=plan.json), dict(os.environ))


def _stored(plan: Listing | Showing | Tracing) -> int:
    from turnfold.cli.stored import event_lines, find_kept, kept_line, listed, listing, started_with, transcript
    from turnfold.cli.tracing import traced
    from turnfold.core.problem import Problem
    from turnfold.core.tools.builtin import BUILTIN_TOOLS
    from turnfold.shell.folders import find_folders
    from turnfold.shell.journal import SqliteJournal

    path = find_folders(os.environ).journal
    if not path.exists() and isinstance(plan, Listing):
        _print((listing(()),) if not plan.json else ())
        return Exit.DONE
    if not path.exists():
        _complain("there are no conversations yet")
        return Exit.USAGE
    journal = SqliteJournal(path)
    try:
        kept = journal.find()
        if isinstance(plan, Listing):
            chosen = listed(kept, children=plan.children)
            _print(map(kept_line, chosen) if plan.json else (listing(chosen),))
            return Exit.DONE
        found = find_kept(kept, plan.conversation)
        if isinstance(found, Problem):
            _complain(found.message)
            return Exit.USAGE
        events = journal.load(found.conversation)
        cfg = journal.config(started_with(events))
        if isinstance(plan, Tracing):
            told = traced(plan, events, cfg, lambda child: journal.load(child) or None)
            if isinstance(told, Problem):
                _complain(told.message)
                return Exit.USAGE
            _print(told)
            return Exit.DONE
        names = tuple(tool.name for tool in BUILTIN_TOOLS)
        _print(event_lines(events) if plan.json else transcript(events, cfg, names, colour=_coloured(_stream(sys.stdout))))
    finally:
        journal.close()
    return Exit.DONE


def _models(plan: ModelList) -> int:
    from turnfold.cli.models import model_lines, overview
    from turnfold.cli.workspace import find_workspace
    from turnfold.core.config.layers import ChatConfig
    from turnfold.core.problem import Problem
    from turnfold.shell.catalogue import catalogue
    from turnfold.shell.folders import find_folders
    from turnfold.shell.secrets import EnvironmentSecrets
    from turnfold.shell.settings import load_settings
    from turnfold.shell.survey import survey

    workspace = find_workspace(plan.workspace)
    folders = find_folders(os.environ)
    read = (workspace,) if isinstance(workspace, Problem) else load_settings(folders, workspace, dict(os.environ), (catalogue(),))
    if isinstance(read, tuple):
        for problem in read:
            _complain(str(problem))
        return Exit.USAGE
    cfg = ChatConfig(read.project)
    found = survey(cfg, EnvironmentSecrets(os.environ), folders.weights)
    if plan.json:
        _print(model_lines(cfg, found, plan.pattern, everything=plan.everything))
    else:
        _print((overview(cfg, found, plan.pattern, everything=plan.everything),))
    return Exit.FAILED if isinstance(found.chosen, Problem) else Exit.DONE


def _doctor(folder: str) -> int:
    from turnfold.cli.doctor import examine, report
    from turnfold.cli.workspace import find_workspace
    from turnfold.core.problem import Problem

    workspace = find_workspace(folder)
    if isinstance(workspace, Problem):
        _complain(workspace.message)
        return Exit.USAGE
    findings = examine(_version(), workspace, dict(os.environ))
    _print((report(findings),))
    return Exit.DONE if all(each.good for each in findings) else Exit.FAILED


def _import(plan: Importing, folder: str) -> int:
    from turnfold.cli.gptme import Voice, import_gptme
    from turnfold.cli.workspace import find_workspace
    from turnfold.core.problem import Problem

    workspace = find_workspace(folder)
    if isinstance(workspace, Problem):
        _complain(workspace.message)
        return Exit.USAGE
    return import_gptme(plan, workspace, dict(os.environ), Voice(say=lambda text: _print((text,)), complain=_complain))


def _config(plan: Configuring) -> int:
    from turnfold.cli.config import configure

    done = configure(plan, dict(os.environ))
    _print(done.out)
    for sentence in done.err:
        _complain(sentence)
    return done.code


def _stream(stream: TextIO | None) -> TextIO:
    """``stream``, or nowhere where the process was started without one."""
    return open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: PTH123 - open as long as the process is


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print(texts: Iterable[str]) -> None:
    from turnfold.cli.output import write

    out = _stream(sys.stdout)
    for text in texts:
        write(out, text)


def _complain(sentence: str) -> None:
    """One line on standard error, where there is one."""
    if not sentence.replace("\n", "").isprintable():  # else nothing has to be imported for it
        from turnfold.core.tools.preview import visible

        sentence = visible(sentence)
    try:
        print(f"turnfold: {sentence.rstrip()}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def _silence() -> None:
    """Let what is still buffered for a closed standard output go nowhere, without a word at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _failed(error: Exception) -> Exit:
    """The sentence of an error that nobody foresaw, and of those that the machine made."""
    from turnfold.cli.crash import told

    _complain(told(error, os.environ))
    return Exit.FAILED
