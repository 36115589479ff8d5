"""What a file is by its first bytes, where it is no UTF-8 text: what to call it, and how to look at it instead."""

from __future__ import annotations

from typing import final

from attrs import frozen

HEAD_BYTES = 512
PICTURE = "a picture can be attached with vision, where that tool is there, or looked at with a command, such as file or identify"
ARCHIVE = "list what is in it with a command, such as tar -tf, unzip -l or zcat"
PROGRAM = "look at it with a command, such as file, strings or objdump"
OTHER = "look at it with a command, such as file or xxd"


@final
@frozen(kw_only=True)
class Kind:
    """A kind of file: its name with an article, what to do with it, and its media type where it is a picture."""

    name: str
    instead: str
    media_type: str = ""


UNKNOWN = Kind(name="no UTF-8 text", instead=OTHER)

KINDS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind(name="a PNG picture", instead=PICTURE, media_type="image/png")),
    (b"\xff\xd8\xff", Kind(name="a JPEG picture", instead=PICTURE, media_type="image/jpeg")),
    (b"GIF87a", Kind(name="a GIF picture", instead=PICTURE, media_type="image/gif")),
    (b"GIF89a", Kind(name="a GIF picture", instead=PICTURE, media_type="image/gif")),
    (b"%PDF-", Kind(name="a PDF document", instead="get its text with a command, such as pdftotext")),
    (b"PK\x03\x04", Kind(name="a ZIP archive, or a document kept as one", instead=ARCHIVE)),
    (b"\x1f\x8b", Kind(name="a gzip archive", instead=ARCHIVE)),
    (b"BZh", Kind(name="a bzip2 archive", instead=ARCHIVE)),
    (b"\xfd7zXZ\x00", Kind(name="an xz archive", instead=ARCHIVE)),
    (b"\x28\xb5\x2f\xfd", Kind(name="a zstd archive", instead=ARCHIVE)),
    (b"7z\xbc\xaf\x27\x1c", Kind(name="a 7-Zip archive", instead=ARCHIVE)),
    (b"\x7fELF", Kind(name="an ELF program or library", instead=PROGRAM)),
    (b"\xcf\xfa\xed\xfe", Kind(name="a Mach-O program or library", instead=PROGRAM)),
    (b"\xca\xfe\xba\xbe", Kind(name="a Java class or a Mach-O program", instead=PROGRAM)),
    (b"SQLite format 3\x00", Kind(name="an SQLite database", instead="look at it with a command, such as sqlite3 FILE .schema")),
    (b"\xff\xfe", Kind(name="text in UTF-16", instead="turn it into UTF-8 with a command: iconv -f UTF-16 -t UTF-8")),
    (b"\xfe\xff", Kind(name="text in UTF-16", instead="turn it into UTF-8 with a command: iconv -f UTF-16 -t UTF-8")),
)
WEBP = Kind(name="a WebP picture", instead=PICTURE, media_type="image/webp")
OLD_TEXT = Kind(
    name="text that is not UTF-8, perhaps Latin-1", instead="turn it into UTF-8 with a command, such as iconv -f LATIN1 -t UTF-8"
)
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def kind_of(data: bytes) -> Kind:
    r"""What a file is that begins with ``data`` and is no UTF-8 text.

    >>> kind_of(b"%PDF-1.7").name, kind_of(b"caf\xe9 au lait").name, kind_of(b"\x00\x01").name
    ('a PDF document', 'text that is not UTF-8, perhaps Latin-1', 'no UTF-8 text')
    """
    for magic, kind in KINDS:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return UNKNOWN if not data or not CONTROLS.isdisjoint(data[:HEAD_BYTES]) else OLD_TEXT
