"""``turnfold import gptme``: gptme's config and conversations taken over, and a word for whatever could not be.

gptme's folders are only read. A config file of turnfold's is written where there is none yet; else what would be in it is
printed. A conversation is imported once: its id is made from its name and its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias, final

from attrs import frozen
from returns.result import Failure

from turnfold.adapters.gptme.folders import CONFIG_BYTES, Places, Source, find_places, find_sources, read_bytes
from turnfold.adapters.gptme.left import Left
from turnfold.adapters.gptme.rules import Kind, Place
from turnfold.adapters.gptme.settings import Converted, read_toml_untrusted, settings_of_untrusted
from turnfold.cli.arguments import Importing
from turnfold.cli.exits import Exit
from turnfold.cli.gptme_conversations import Library, bring
from turnfold.core.codec.settings import read_settings_untrusted
from turnfold.core.config.layer import LayerName
from turnfold.core.problem import Problem, did_you_mean
from turnfold.core.tools.output import counted
from turnfold.core.tools.preview import visible
from turnfold.shell.catalogue import catalogue
from turnfold.shell.folders import Folders, find_folders
from turnfold.shell.journal import SqliteJournal
from turnfold.shell.settings_text import settings_toml

Say: TypeAlias = Callable[[str], None]

SHOWN = 6  # places that are named for one reason
FILES = ("config.toml", "config.local.toml")  # of gptme's, and the same of turnfold's
PROJECT_FILES = (("gptme.toml", "turnfold.toml"), ("gptme.local.toml", "turnfold.local.toml"))


@final
@frozen(kw_only=True)
class Voice:
    """Where words go: ``say`` what came of it, ``complain`` of the arguments, in a sentence."""

    say: Say
    complain: Say


@final
@frozen(kw_only=True)
class _File:
    """A config file of gptme's, and the one of turnfold's that says the same."""

    source: Path
    target: Path
    place: Place
    layer: LayerName


def import_gptme(plan: Importing, workspace: Path, environ: Mapping[str, str], voice: Voice) -> Exit:
    """Do what ``plan`` says and tell what came of it; raises ``JournalError`` where the journal can't be used."""
    places = find_places(environ, Path(plan.folder).expanduser().absolute() if plan.folder else None)
    folders = find_folders(environ)
    known = tuple(provider.name for provider in catalogue().providers)
    files = _files(plan, places, folders, workspace, known) if plan.only != "conversations" else ()
    sources = find_sources(places.logs) if plan.only != "config" else ()
    chosen = _chosen(plan.names, sources)
    if isinstance(chosen, str):
        voice.complain(chosen)
        return Exit.USAGE
    if not files and not chosen:
        voice.complain(f"there is nothing of gptme's in {places.config} and {places.logs}. Name another place with --from FOLDER.")
        return Exit.USAGE
    sound = [_take(file, voice.say, dry_run=plan.dry_run) for file in files]
    library = Library(folders=folders, environ=environ, home=places.home, workspace=workspace, known=known)
    sound += _conversations(plan, chosen, library, voice.say) if chosen else ()
    return Exit.DONE if all(sound) else Exit.FAILED


def _files(plan: Importing, places: Places, folders: Folders, workspace: Path, known: tuple[str, ...]) -> tuple[_File, ...]:
    """The config files that are there; of a project's two places, the first that gptme would read."""
    home = places.home.as_posix()
    user = Place(kind=Kind.USER, folder=places.config.as_posix(), home=home, known=known)
    project = Place(kind=Kind.PROJECT, folder=workspace.as_posix(), home=home, known=known)
    own = (_File(source=places.config / name, target=folders.config / name, place=user, layer="user") for name in FILES)
    folder = next((each for each in (workspace, workspace / ".github") if (each / PROJECT_FILES[0][0]).exists()), workspace)
    theirs = (_File(source=folder / source, target=workspace / target, place=project, layer="project") for source, target in PROJECT_FILES)
    return tuple(file for file in (*own, *(theirs if plan.project else ())) if file.source.exists())


def _chosen(names: tuple[str, ...], sources: tuple[Source, ...]) -> tuple[Source, ...] | str:
    """The conversations of these names, branches among them; all where none is named; or which name there is not."""
    for name in names:
        if not any(name in (source.name, source.folder.name) for source in sources):
            hint = did_you_mean(name, tuple(source.name for source in sources)) or "."
            return f"gptme has no conversation {name[:80]!r} there{hint}"
    return tuple(source for source in sources if not names or source.name in names or source.folder.name in names)


def _take(file: _File, say: Say, *, dry_run: bool) -> bool:
    """One config file taken over, and whether that went well."""
    converted = _converted(file)
    if isinstance(converted, Problem):
        say(f"{converted.message}\n")
        return False
    read = read_settings_untrusted(converted.settings, str(file.target), file.layer)
    if isinstance(read, Failure):
        say("".join(f"{problem}\n" for problem in read.failure()))
        return False
    text = f"# From gptme's {file.source}, by turnfold import gptme.\n\n{settings_toml(read.unwrap())}"
    say(_placed(file, text, dry_run=dry_run) + f": {counted(len(converted.carried), 'value')} carried over\n")
    say(told(converted.left))
    return True


def _converted(file: _File) -> Converted | Problem:
    data = read_bytes(file.source, CONFIG_BYTES)
    if isinstance(data, Problem):
        return data
    read = read_toml_untrusted(data.decode("utf-8-sig", "replace"), str(file.source))
    return read.failure() if isinstance(read, Failure) else settings_of_untrusted(read.unwrap(), file.place)


def _placed(file: _File, text: str, *, dry_run: bool) -> str:
    """The file written where there is none yet; else its text, to be put there by hand; and how it went."""
    head = f"{file.source} → {file.target}"
    if dry_run:
        return f"{text}\n{head} (not written: this is a dry run)"
    if os.path.lexists(file.target):
        return f"{text}\n{head} (there is one already: put into it what you want of the lines above)"
    try:
        file.target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file.target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        return f"{text}\n{head} (it can't be written: {error.strerror or error}; put the lines above there)"
    return f"{head} (written)"


def _conversations(plan: Importing, sources: tuple[Source, ...], library: Library, say: Say) -> list[bool]:
    """Each conversation taken over, and whether that went well."""
    path = library.folders.journal
    journal = SqliteJournal(path) if path.exists() or not plan.dry_run else None
    try:
        known = frozenset(each.conversation for each in journal.find()) if journal is not None else frozenset[str]()
        sound = []
        for source in sources:
            brought = bring(source, library, None if plan.dry_run else journal, known)
            sound.append(brought.sound)
            say(f"{source.name}: {brought.message}\n{told(brought.left)}")
        return sound
    finally:
        if journal is not None:
            journal.close()


def told(left: Iterable[Left]) -> str:
    """What was not carried over, one line a reason, with the places.

    >>> print(told((Left("line 1", "broken"), Left("line 2", "broken"))), end="")
      not carried over:
        line 1, line 2: broken
    """
    by_reason: dict[str, list[str]] = {}
    for each in left:
        by_reason.setdefault(each.why, []).append(each.path)
    lines = "".join(f"    {_named(paths)}: {visible(why)}\n" for why, paths in by_reason.items())
    return f"  not carried over:\n{lines}" if lines else ""


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return visible(", ".join(path.replace("\n", " ")[:80] for path in paths[:SHOWN])) + more
