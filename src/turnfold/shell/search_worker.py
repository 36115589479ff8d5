"""The program that searches files: a process of its own, so that no pattern can hold up the one that asked.

A regular expression that a model writes, or a glob in a project's .gitignore, can take Python's engine longer than anybody waits; it
would hold the interpreter's lock meanwhile, and nothing can stop it but the end of its process. So this one is started for one search,
by file name (``python -P …/search_worker.py CONTROL RESULT LIFELINE ROOT``), never imported, and killed when its time is over. It
imports nothing of turnfold. A message, on CONTROL or RESULT, is a length (8 bytes) and JSON.

ROOT is a descriptor of the folder that is searched. Everything below is opened from there, name by name, and nothing through a link:
so a link that leads out, or one that a folder becomes meanwhile, leads nowhere.

1. ``{names, hidden, only, above}`` asks for files: those that match one of the globs ``names`` (all, where there are none), and
   that no .gitignore leaves out; ``above`` are such files of the folders above, each with the path from there to ROOT. ``only`` is the
   one name that is meant, if there is one, whatever .gitignore says. The answer is ``{paths, skipped}``.
2. ``{pattern, ignore_case, limit, file_bytes, paths}`` asks for lines of these files. The answer is ``{found, omitted, skipped}``.

Any answer may be ``{error, about}`` instead: ``error`` says what is wrong with the ``names`` or the ``pattern``, and then it is over.
"""

import json
import os
import re
import stat
import sys
from collections.abc import Iterator

from pathspec import GitIgnoreSpec

LENGTH_BYTES = 8
IGNORE_BYTES = 1_000_000  # of a .gitignore
MOST_FOLDERS = 100  # below each other: deeper ones are skipped
HEAD_BYTES = 8192  # where a NUL tells that a file is no text, as grep and git judge
SHOWN = 300  # characters of a line
BEFORE = 60  # of them, those before the place that matches
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

# .gitignore files, from the outermost inwards, each with how a path from the root of the search becomes one from its folder: so many
# characters are taken away, or this is put before it
Specs = tuple[tuple[int, str, GitIgnoreSpec], ...]


class WrongError(Exception):
    """What was asked for can't be understood."""


class Walk:
    """The files below one folder that a search is about."""

    __slots__ = ("hidden", "names", "paths", "skipped")

    def __init__(self, names: list[str], *, hidden: bool) -> None:
        self.names = glob(names) if names else None
        self.hidden = hidden
        self.paths: list[str] = []
        self.skipped = 0

    def enter(self, folder: int, path: str, specs: Specs, depth: int) -> None:
        """Find the files below ``folder``, whose path from the root is ``path``, empty or with a slash at its end."""
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        if any(entry.name == ".gitignore" for entry in entries):
            text = content(folder, ".gitignore", IGNORE_BYTES)
            specs = (*specs, (len(path), "", ignoring((text or b"").decode("utf-8", "replace"))))
        for entry in entries:
            if entry.name == ".git" or (entry.name.startswith(".") and not self.hidden) or entry.is_symlink():
                continue
            name = path + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not is_out(name + "/", specs):
                    self.go_down(folder, entry.name, name + "/", specs, depth + 1)
            elif entry.is_file(follow_symlinks=False) and self.is_meant(name) and not is_out(name, specs):
                self.paths.append(name)

    def is_meant(self, name: str) -> bool:
        """Whether one of the globs matches."""
        return self.names is None or self.names.match_file(name)

    def go_down(self, above: int, name: str, path: str, specs: Specs, depth: int) -> None:
        """Enter the folder ``name``; one that can't be entered is counted."""
        if depth > MOST_FOLDERS:
            self.skipped += 1
            return
        try:
            folder = os.open(name, FOLDER, dir_fd=above)
        except OSError:
            self.skipped += 1
            return
        try:
            self.enter(folder, path, specs, depth)
        except OSError:
            self.skipped += 1
        finally:
            os.close(folder)


def is_out(name: str, specs: Specs) -> bool:
    """Whether ``specs`` leave ``name`` (a folder's ends with a slash) out: the nearest of them that speaks of it decides."""
    for taken, before, spec in reversed(specs):
        said = spec.check_file(before + name[taken:]).include
        if said is not None:
            return said
    return False


def above_root(prefix: str, text: str) -> Specs:
    """The .gitignore of a folder above the root; nothing where it leaves the root itself out, which was asked for all the same."""
    spec = ignoring(text)
    return () if spec.check_file(prefix + "/").include else ((0, prefix + "/", spec),)


def ignoring(text: str) -> GitIgnoreSpec:
    """What a .gitignore of that text leaves out; git passes over lines that it can't read, too."""
    lines = text.splitlines()
    try:
        return spec_of(lines)
    except ValueError:
        return spec_of([line for line in lines if readable(line)])


def spec_of(lines: list[str]) -> GitIgnoreSpec:
    """The patterns ``lines``; raises ``ValueError``. Always by Python's engine, whatever else is installed: names may be any bytes."""
    return GitIgnoreSpec.from_lines(lines, backend="simple")


def readable(line: str) -> bool:
    """Whether ``line`` is a pattern."""
    try:
        spec_of([line])
    except ValueError:
        return False
    return True


def glob(names: list[str]) -> GitIgnoreSpec:
    """What matches one of ``names``."""
    try:
        return spec_of(names)
    except ValueError as error:
        raise WrongError(str(error)) from error


def content(folder: int, name: str, limit_bytes: int) -> bytes | None:
    """The bytes of a file of the folder; None for what is no file, or has more than ``limit_bytes``, or can't be read."""
    try:
        descriptor = os.open(name, FILE, dir_fd=folder)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit_bytes:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit_bytes + 1)
        return data if len(data) <= limit_bytes else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def text_at(root: int, path: str, limit_bytes: int) -> str | None:
    """The text of the file at ``path`` from ``root``; None where there is none that can be read."""
    *folders, name = path.split("/")
    opened: list[int] = []
    try:
        for each in folders:
            opened.append(os.open(each, FOLDER, dir_fd=opened[-1] if opened else root))
        data = content(opened[-1] if opened else root, name, limit_bytes)
    except OSError:
        return None
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return None if data is None or b"\0" in data[:HEAD_BYTES] else data.decode("utf-8", "replace").removeprefix("\ufeff")


def lines_with(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """The lines of ``text``, with their numbers, that hold what ``pattern`` describes."""
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        whole = line.removesuffix("\r")
        found = pattern.search(whole)
        if found is not None:
            yield number, shown(whole, found.start())


def shown(line: str, place: int) -> str:
    """``line``, or so much of it around ``place`` as is shown."""
    first = max(0, min(place - BEFORE, len(line) - SHOWN))
    if len(line) <= SHOWN:
        return line
    return ("…" if first else "") + line[first : first + SHOWN] + ("…" if first + SHOWN < len(line) else "")


def search(root: int, asked: dict[str, object]) -> dict[str, object]:
    """The lines that were asked for: at most ``limit``, and how many more there are."""
    limit, file_bytes, paths = asked["limit"], asked["file_bytes"], asked["paths"]
    assert isinstance(limit, int)
    assert isinstance(file_bytes, int)
    assert isinstance(paths, list)
    try:
        pattern = re.compile(str(asked["pattern"]), re.IGNORECASE if asked["ignore_case"] else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise WrongError(str(error)) from error
    found: list[tuple[str, int, str]] = []
    omitted = skipped = 0
    for path in paths:
        text = text_at(root, path, file_bytes)
        if text is None:
            skipped += 1
            continue
        for number, line in lines_with(pattern, text):
            if len(found) < limit:
                found.append((path, number, line))
            else:
                omitted += 1
    return {"found": found, "omitted": omitted, "skipped": skipped}


def files(root: int, asked: dict[str, object]) -> dict[str, object]:
    """The files that were asked for, sorted."""
    names, above, only = asked["names"], asked["above"], asked["only"]
    assert isinstance(names, list)
    assert isinstance(above, list)
    if only:
        return {"paths": [only], "skipped": 0}
    walk = Walk(names, hidden=bool(asked["hidden"]))
    walk.enter(root, "", tuple(spec for prefix, text in above for spec in above_root(prefix, text)), 0)
    return {"paths": sorted(walk.paths), "skipped": walk.skipped}


def received(control: int) -> dict[str, object] | None:
    """The next message; None when there is no other."""
    data = b""
    size = LENGTH_BYTES
    while len(data) < size:
        piece = os.read(control, min(size - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
        if size == LENGTH_BYTES == len(data):
            size += int.from_bytes(data, "big")
    told = json.loads(data[LENGTH_BYTES:])
    assert isinstance(told, dict)
    return told


def send(result: int, told: dict[str, object]) -> None:
    """Say it; names that are no UTF-8 stay what they are."""
    data = json.dumps(told).encode()
    rest = memoryview(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    while rest:
        rest = rest[os.write(result, rest) :]


def main(control: int, result: int, lifeline: int, root: int) -> None:
    """Answer what is asked, until nothing more is."""
    os.write(lifeline, f"{os.getpid()}\n".encode())
    os.close(lifeline)
    while (asked := received(control)) is not None:
        try:
            send(result, search(root, asked) if "pattern" in asked else files(root, asked))
        except WrongError as wrong:
            send(result, {"error": str(wrong), "about": "pattern" if "pattern" in asked else "names"})
            return


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
