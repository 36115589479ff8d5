"""Bytes of a page as text: by the character set that its server, its first bytes or its own head names."""

from __future__ import annotations

import codecs
import re

# The families that the web knows (WHATWG, Encoding). Others that Python knows are no character sets, or cost the square of the length.
KNOWN = re.compile(r"(utf-?(8|16|16le|16be|32)|iso-?8859-?\d+|windows-?\d+|cp\d+|koi8-?[ru]|gb(k|2312|18030)|big5(-?hkscs)?|euc-?(jp|kr)|shift[_-]?jis|iso-?2022-?jp|macintosh|us-ascii|ascii|latin-?1)\Z", re.IGNORECASE)  # fmt: skip
AS_1252 = re.compile(r"(iso-?8859-?1|us-ascii|ascii|latin-?1)\Z", re.IGNORECASE)  # what such pages really are, says the same standard
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
NAMED = re.compile(rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]{2,30})""", re.IGNORECASE)
HEAD_BYTES = 1024


def charset_of(content_type: str) -> str:
    """The character set that a Content-Type names; empty where it names none.

    >>> charset_of("text/html; charset=ISO-8859-2"), charset_of("text/html")
    ('ISO-8859-2', '')
    """
    found = re.search(r"""charset\s*=\s*["']?([\w-]{2,30})""", content_type, re.IGNORECASE)
    return found.group(1) if found else ""


def text_of(data: bytes, content_type: str) -> str:
    r"""``data`` as text; what is no character in its set becomes ``\ufffd``.

    >>> text_of("é".encode("latin-1"), "text/plain; charset=latin1"), text_of("é".encode(), "text/plain")
    ('é', 'é')
    """
    for mark, name in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    named = NAMED.search(data[:HEAD_BYTES])
    for said in (charset_of(content_type), named.group(1).decode("ascii", "replace") if named else ""):
        if KNOWN.match(said):
            return _decoded(data, "cp1252" if AS_1252.match(said) else said)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)  # the end may be cut within a character
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _decoded(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def is_binary(data: bytes, content_type: str) -> bool:
    r"""Whether ``data`` is no text, by its first bytes, whatever its type says.

    >>> is_binary(b"%PDF-1.7", "text/plain"), is_binary(b"a\0b", ""), is_binary(b"abc", "")
    (True, True, False)
    """
    wide = (
        data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or "utf-16" in content_type.lower() or "utf-32" in content_type.lower()
    )
    return data.startswith((b"%PDF-", b"PK\x03\x04", b"\x1f\x8b")) or (not wide and b"\0" in data[:HEAD_BYTES])
