"""One process at a time drives a conversation: a second one would take what the first has under way for lost."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turnfold.core.problem import Problem, caller_problem


@contextmanager
def driving(folder: Path, conversation: str) -> Iterator[Problem | None]:
    """While the block runs, this process alone drives ``conversation``; where another one does, the Problem that says so.

    A lock on one byte of one file, its place made from the id: nothing is left behind, and a process that dies lets go.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = int.from_bytes(hashlib.sha256(conversation.encode()).digest()[:7], "big")
    with (folder / "driving.lock").open("ab") as gate:
        try:
            fcntl.lockf(gate, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            message = f"Conversation {conversation} is going on in another process: wait for its end, or stop that one first."
            yield caller_problem("conversation-taken", message)
            return
        yield None
