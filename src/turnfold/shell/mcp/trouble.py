"""What a connection with an MCP server noticed on its way, for the Problem that may come of it."""

from __future__ import annotations

from typing import final

from turnfold.shell.capture import Capture
from turnfold.shell.mcp.offers import plain

COMPLAINT_BYTES = 1000
SHOWN = 200
ASKING: tuple[tuple[str, str], ...] = (
    ("sampling/createMessage", "a reply of your model (sampling)"),
    ("elicitation/create", "an answer of yours (elicitation)"),
    ("roots/list", "the folders that it may use (roots)"),
)  # what servers may ask of clients, and this one does not give


@final
class Trouble:
    """Notes about one connection; written in its thread, read in others when it has failed."""

    __slots__ = ("asked", "complaints", "over", "rubbish_lines", "rubbish_seen", "too_much")

    def __init__(self) -> None:
        self.over = False  # the server has ended the connection
        self.too_much = False  # it said more than a message may hold
        self.rubbish_lines = 0
        self.rubbish_seen = ""
        self.asked = ""
        self.complaints = Capture(COMPLAINT_BYTES)

    def rubbish(self, line: bytes) -> None:
        """Note a line that is no message."""
        self.rubbish_lines += 1
        self.rubbish_seen = self.rubbish_seen or plain(line[: 4 * SHOWN].decode("utf-8", "replace"), SHOWN)

    def asks(self, method: str) -> None:
        """Note what the server asks of us, where that is nothing we give."""
        self.asked = next((what for name, what in ASKING if name == method), self.asked)

    def told(self) -> str:
        """What was noticed, as sentences that follow another; empty where all was well."""
        said = []
        if self.too_much:
            said.append("It said more at once than a message may hold, and was ended.")
        if self.rubbish_seen:
            said.append(f"It printed what is no message: {self.rubbish_seen!r}.")
        if self.over and (complaints := plain(self.complaints.text(), COMPLAINT_BYTES).strip()):  # of one that goes on, it is its log
            said.append(f"It complained: {complaints}")
        return "".join(f" {each}" for each in said)
