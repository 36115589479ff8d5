"""One config file of this machine and those that it extends: found, read, and every fault told."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import final

from attrs import frozen
from returns.result import Failure

from turnfold.core.codec.settings import FileSettings, extended_untrusted, read_file_untrusted
from turnfold.core.codec.toml_values import Problems
from turnfold.core.config.layer import LayerName
from turnfold.core.config.layers import Overrides
from turnfold.core.problem import Problem, caller_problem, world_problem

LIMIT_BYTES = 1_000_000
MAX_DEPTH = 16  # files that extend one another
MAX_FILES = 100  # that one file brings along


@final
@frozen(kw_only=True)
class Reading:
    """How the files of a layer are read: ``folder`` is the project's, which its files may not leave unless it is ``trusted``."""

    layer: LayerName
    home: str = ""
    folder: Path | None = None
    trusted: bool = True
    known: tuple[str, ...] = ()


@final
@frozen(kw_only=True)
class Loaded:
    """What files say, the highest first; their faults; and what was left out of them."""

    layers: tuple[Overrides, ...] = ()
    files: tuple[Path, ...] = ()
    withheld: Problems = ()
    problems: Problems = ()

    def __add__(self, under: Loaded) -> Loaded:
        """This over ``under``."""
        return Loaded(
            layers=(*self.layers, *under.layers),
            files=(*self.files, *under.files),
            withheld=(*self.withheld, *under.withheld),
            problems=(*self.problems, *under.problems),
        )


def load_file(path: Path, reading: Reading) -> Loaded:
    """What ``path`` says, over what it extends; nothing where there is no such file."""
    text = read_text(path)
    if text is None:
        return Loaded()
    return Loaded(problems=(text,)) if isinstance(text, Problem) else _chain(path, text, reading, ())


def _chain(path: Path, text: str, reading: Reading, above: tuple[Path, ...], spent: int = 1) -> Loaded:
    """The file, then those that it extends: a later one lies over an earlier one. ``above``: which files led here."""
    read = read_file_untrusted(text, str(path), reading.layer, trusted=reading.trusted, known=reading.known)
    if isinstance(read, Failure):
        extends, loaded = extended_untrusted(text), Loaded(files=(path,), problems=read.failure())
    else:
        said: FileSettings = read.unwrap()
        extends, loaded = said.extends, Loaded(layers=(said.layer,), files=(path,), withheld=said.withheld)
    for name in reversed(extends):
        loaded += _extended(name, (*above, path), reading, spent + len(loaded.files))
        if loaded.problems and spent + len(loaded.files) >= MAX_FILES:
            break
    return loaded


def _extended(name: str, chain: tuple[Path, ...], reading: Reading, spent: int) -> Loaded:
    """The file that the last of ``chain`` extends, with all below it."""
    here = chain[-1]
    if "\0" in name:
        return _refused(here, f"extends {name[:200]!r}, which is no name that a file can have.")
    if name.startswith("~/") and not reading.home:
        return _refused(here, f"extends {name[:200]!r}, but there is no home folder: write the whole path.")
    path = here.parent / (f"{reading.home}{name[1:]}" if name.startswith("~/") else name)
    if not reading.trusted and reading.folder is not None and not _inside(path, reading.folder):
        message = f"{here}: {name[:200]!r}, which it extends, is not in the project, and is left out: it counts only in a folder that you trust. Look at it, then say: turnfold config trust"
        return Loaded(withheld=(caller_problem("not-trusted", message, "$.extends"),))
    if os.path.realpath(path) in {os.path.realpath(each) for each in chain}:
        names = " → ".join(str(each) for each in (*chain, path))
        return _refused(here, f"extends a file that leads back to itself: {names}. Take one of them out.")
    if len(chain) >= MAX_DEPTH or spent >= MAX_FILES:
        names = " → ".join(each.name for each in (*chain, path))
        return _refused(here, f"extends too many files, {MAX_DEPTH} in a row or {MAX_FILES} in all at most: {names}.")
    text = read_text(path)
    if text is None:
        return _refused(here, f"extends {path}, and there is no such file.")
    return Loaded(problems=(text,)) if isinstance(text, Problem) else _chain(path, text, reading, chain, spent)


def _refused(here: Path, sentence: str) -> Loaded:
    return Loaded(problems=(caller_problem("bad-settings", f"{here} {sentence}", "$.extends"),))


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def read_text(path: Path) -> str | Problem | None:
    """What the file holds; None where there is no such file."""
    try:
        problem = _unfit(path, path.stat())
        if problem is not None:
            return problem
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None if not path.is_symlink() else _unreadable(path, "it is a link that leads nowhere")
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return caller_problem("bad-settings", f"{path}:{line}: this is not UTF-8 text: save the file as UTF-8.")


def _unfit(path: Path, status: os.stat_result) -> Problem | None:
    if stat.S_ISDIR(status.st_mode):
        return caller_problem("bad-settings", f"{path} is a folder where a config file should be: rename it, or put a file in its place.")
    if not stat.S_ISREG(status.st_mode):
        return caller_problem("bad-settings", f"{path} is no ordinary file: put a config file in its place, or remove it.")
    if status.st_size > LIMIT_BYTES:
        message = (
            f"{path} has {status.st_size:,} bytes, more than any config file needs ({LIMIT_BYTES:,}): is it another file under this name?"
        )
        return caller_problem("bad-settings", message)
    return None


def _unreadable(path: Path, why: str) -> Problem:
    return world_problem("bad-settings", f"The config file {path} can't be read ({why}): mend its permissions, or move it away.")
