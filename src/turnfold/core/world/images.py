"""Images as values: what a tool can show a model besides text."""

from __future__ import annotations

import hashlib
from typing import final

from attrs import frozen

MEDIA_TYPES: tuple[str, ...] = ("image/png", "image/jpeg", "image/gif", "image/webp")


@final
@frozen
class Image:
    """A picture: its media type, and its bytes as base64 text."""

    media_type: str
    data: str

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of the text that holds it: its name within a conversation."""
        return hashlib.sha256(self.data.encode("utf-8", "backslashreplace")).hexdigest()

    @property
    def size_bytes(self) -> int:
        """How many bytes the picture has."""
        return len(self.data.rstrip("=")) * 3 // 4
