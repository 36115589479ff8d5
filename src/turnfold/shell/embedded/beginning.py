"""The beginning that all requests of one profile share, and the engine's state after it, kept in a file beside the weights.

To read a system prompt and its examples takes a small machine ten seconds and more; a new process gets the result back in
milliseconds. Only the profile's own messages are in such a file, never what a person said or set.

The file is `beginning-KEY-HASH.state`. KEY stands for all that the state depends on: the weights, the engine and the
messages. HASH is the file's own SHA-256: llama.cpp aborts its process on a truncated file, so it is shown none whose bytes
are not those that were saved. A file that is damaged, or that the engine refuses, is deleted, and one that can't be written
is done without: each costs time, and no reply depends on it, since the beginning is read by itself and in the same batches
whether a file is there or not (read together with what follows, sums are rounded otherwise, and a near tie falls otherwise).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import final

from attrs import define, frozen

from turnfold.core.config.values import ModelProfile

ENGINE = "xllamacpp"
STEM = "beginning-"
END = ".state"
FORMAT = "1"  # another one where the same engine would need another file, for a change of ours
KEY_CHARS = 32


def shared_messages_untrusted(body: bytes, profile: ModelProfile) -> tuple[object, ...]:
    """The leading messages of a request that are the profile's own: its instructions alone, and its examples; often none.

    Where a person has added instructions, the system's message is theirs, too, and nothing is shared.

    >>> shared_messages_untrusted(
    ...     b'{"messages":[{"role":"system","content":"Be brief."}]}', ModelProfile(pattern="*", instructions="Be brief.")
    ... )
    ({'role': 'system', 'content': 'Be brief.'},)
    """
    messages = _messages_untrusted(body)
    if not profile.instructions or messages[:1] != (_said("system", profile.instructions),):
        return ()
    count = 1
    for example in profile.examples:  # a request has those whose tools are offered, in this order
        turns = tuple(_said(turn.role.value, turn.text) for turn in example.turns)
        if messages[count : count + len(turns)] == turns:
            count += len(turns)
    return messages[:count]


def _messages_untrusted(body: bytes) -> tuple[object, ...]:
    try:
        request = json.loads(body)
    except ValueError:
        return ()
    listed = request.get("messages") if isinstance(request, dict) else None
    return tuple(listed) if isinstance(listed, list) else ()


def _said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


@final
@frozen(kw_only=True)
class Beginnings:
    """Whose beginnings are kept, and for which weights."""

    profile: ModelProfile
    weights_sha256: str

    def of(self, body: bytes, folder: Path) -> Beginning | None:
        """The beginning that this request shares with others, or None. Files of other beginnings in ``folder`` are removed."""
        messages = shared_messages_untrusted(body, self.profile)
        engine = engine_version()
        if not messages or not engine:
            return None
        told = json.dumps((FORMAT, self.weights_sha256, engine, messages))
        key = hashlib.sha256(told.encode()).hexdigest()[:KEY_CHARS]
        return Beginning(folder, key, json.dumps(messages), found(folder, key))


@final
@define
class Beginning:
    """One beginning: its messages as JSON, and its file, as far as there is one. What fails on the disk fails in silence."""

    folder: Path
    key: str
    messages: str
    file: Path | None
    _part: Path | None = None

    def order(self) -> bytes:
        """What the worker is told: the messages, and the name of the file to restore, or of one to save to."""
        names = {"restore": self.file.name} if self.file is not None else {"save": self._begun()}
        return json.dumps({"messages": json.loads(self.messages), **names}).encode()

    def _begun(self) -> str:
        """The name of an empty file of our own, for nobody else to read; empty where there can be none."""
        part = self.folder / f"{STEM}{self.key}.{os.getpid()}.part"
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError:
            return ""
        self._part = part
        return part.name

    def saved(self, size_bytes: int) -> None:
        """Give what the worker has saved its name, if all of it is there."""
        part, self._part = self._part, None
        if part is None:
            return
        with suppress(OSError):
            if 0 < size_bytes == part.stat().st_size:
                part.replace(self.folder / f"{STEM}{self.key}-{sha256_of(part)}{END}")
                return
        removed(part)

    def discard(self) -> bool:
        """Delete the file that is of no use; False where there was none."""
        file, self.file = self.file, None
        self.saved(0)
        if file is not None:
            removed(file)
        return file is not None


def found(folder: Path, key: str) -> Path | None:
    """The file of this beginning with the bytes that were saved; all others are deleted."""
    good: Path | None = None
    for path in _kept(folder):
        if good is None and path.name.startswith(f"{STEM}{key}-") and path.name.endswith(f"-{_sha256_or_none(path)}{END}"):
            good = path
        else:
            removed(path)
    return good


def _kept(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from sorted(folder.glob(f"{STEM}*"))


def _sha256_or_none(path: Path) -> str | None:
    with suppress(OSError):
        return sha256_of(path)
    return None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def removed(path: Path) -> None:
    """Delete a file, if that can be."""
    with suppress(OSError):
        path.unlink()


def engine_version() -> str:
    """The engine's version; empty where it isn't installed."""
    try:
        return version(ENGINE)
    except PackageNotFoundError:
        return ""
