"""Where gptme keeps things on this machine. Reading only: nothing of gptme's is ever written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen

from turnfold.core.problem import Problem, caller_problem, world_problem

CONVERSATION = "conversation.jsonl"
BRANCHES = "branches"
WHOLE = "lossless"  # what a conversation was before gptme put a summary in the place of its beginning
VIEWS = "views"  # a conversation as gptme told it to a model, with summaries
LIMIT_BYTES = 500_000_000  # of one conversation; a longer one is another file under this name
CONFIG_BYTES = 1_000_000


@final
@frozen(kw_only=True)
class Places:
    """gptme's folders: of its config files, and of its conversations. Either may not be there."""

    config: Path
    logs: Path
    home: Path


@final
@frozen(kw_only=True)
class Source:
    """A conversation of gptme's, or a branch of one: what a person calls it, its file, and the folder that it lies in."""

    name: str
    path: Path
    folder: Path


def find_places(environ: Mapping[str, str], folder: Path | None = None) -> Places:
    """Gptme's folders as its own rules say; or those in ``folder``: a home, gptme's folder of config or data, or of conversations."""
    home = Path(environ.get("HOME") or "/")
    if folder is not None:
        return Places(config=_config_in(folder), logs=_logs_in(folder), home=home)
    data = Path(_said(environ, "XDG_DATA_HOME") or home / ".local" / "share") / "gptme"
    logs = _said(environ, "GPTME_LOGS_HOME")
    config = Path(_said(environ, "XDG_CONFIG_HOME") or home / ".config") / "gptme"
    return Places(config=config, logs=Path(logs) if logs else data / "logs", home=home)


def _said(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _config_in(folder: Path) -> Path:
    """The folder of config files in ``folder``; a conversation's own config.toml is none."""
    inner = (folder / ".config" / "gptme", folder / "gptme", folder)
    return next((each for each in inner if (each / "config.toml").exists() and not (each / CONVERSATION).exists()), folder / "gptme")


def _logs_in(folder: Path) -> Path:
    share = folder / ".local" / "share" / "gptme" / "logs"
    return next((each for each in (share, folder / "gptme" / "logs", folder / "logs") if each.is_dir()), folder)


def find_sources(logs: Path) -> tuple[Source, ...]:
    """All conversations and branches in ``logs``, sorted by name; ``logs`` may be the folder of a single one."""
    if (logs / CONVERSATION).exists():
        return _sources(logs)
    try:
        folders = sorted(each for each in logs.iterdir() if (each / CONVERSATION).exists())
    except OSError:
        return ()
    return tuple(source for folder in folders for source in _sources(folder))


def _sources(folder: Path) -> tuple[Source, ...]:
    try:
        branches = sorted((folder / BRANCHES).glob("*.jsonl"))
    except OSError:
        branches = []
    whole = folder / f"{WHOLE}.jsonl"
    more = (*branches, *((whole,) if whole.exists() else ()))
    main = Source(name=folder.name, path=folder / CONVERSATION, folder=folder)
    return (main, *(Source(name=f"{folder.name}/{path.stem}", path=path, folder=folder) for path in more))


def read_bytes(path: Path, limit_bytes: int = LIMIT_BYTES) -> bytes | Problem:
    """What the file holds, or why it can't be had."""
    try:
        if not path.is_file():
            return caller_problem("unreadable", f"{path} is no ordinary file, so it was not read.")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        return world_problem("unreadable", f"{path} can't be read: {error.strerror or error}.")
    if len(data) > limit_bytes:
        return caller_problem("unreadable", f"{path} has more than {limit_bytes:,} bytes, so it was not read.")
    return data


def conversation_id(source: Source, data: bytes) -> str:
    """The id of what becomes of a conversation: the same for the same name and bytes, so that it is imported once."""
    return "gptme-" + hashlib.sha256(source.name.encode("utf-8", "surrogateescape") + b"\0" + data).hexdigest()[:16]
