"""The protobuf wire format, as far as OTLP needs it: fields written one after another, each with its number and how its bytes are to be read.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from struct import pack

VARINT, FIXED64, SIZED, FIXED32 = 0, 1, 2, 5
BITS_64 = (1 << 64) - 1


def number(field: int, value: int) -> bytes:
    """An integer of up to 64 bits, a Boolean or an enum.

    >>> number(1, 150).hex(), len(number(1, -1))
    ('089601', 11)
    """
    return _varint(field << 3 | VARINT) + _varint(value & BITS_64)


def fixed64(field: int, value: int) -> bytes:
    """An unsigned integer in eight bytes."""
    return _varint(field << 3 | FIXED64) + (value & BITS_64).to_bytes(8, "little")


def fixed32(field: int, value: int) -> bytes:
    """An unsigned integer in four bytes."""
    return _varint(field << 3 | FIXED32) + value.to_bytes(4, "little")


def double(field: int, value: float) -> bytes:
    """A floating-point number.

    >>> double(1, 1.0).hex()
    '09000000000000f03f'
    """
    return _varint(field << 3 | FIXED64) + pack("<d", value)


def text(field: int, value: str) -> bytes:
    """A text.

    >>> text(2, "testing").hex()
    '120774657374696e67'
    """
    return message(field, value.encode(errors="replace"))


def message(field: int, data: bytes) -> bytes:
    """Bytes, or a message that was written before."""
    return _varint(field << 3 | SIZED) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    data.append(value)
    return bytes(data)


def rejected_field(data: bytes) -> int:
    """The integer that is field 1 of the message that is field 1 of ``data``, where both come first, as writers put them; else 0.

    >>> rejected_field(message(1, number(1, 300) + text(2, "why"))), rejected_field(message(1, text(2, "why"))), rejected_field(b"")
    (300, 0, 0)
    """
    if data[:1] != bytes((1 << 3 | SIZED,)):
        return 0
    rest = data[2:] if len(data) > 1 and data[1] < 128 else data[3:]  # a length of one byte, or of two
    if rest[:1] != bytes((1 << 3 | VARINT,)):
        return 0
    value = 0
    for place, byte in enumerate(rest[1:11]):
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value
    return 0
