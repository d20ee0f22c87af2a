"""Where the members of a ZIP archive lie in the file, for archives that are not compressed.

Python's zipfile takes any table of contents into memory before one can look at its size. Format: PKWARE's APPNOTE 6.3.
"""

import struct
from typing import BinaryIO, NamedTuple

from .file_faults import CutOff, Damaged, Refused
from .printable import printable
from .regular_file import file_size, read_bytes

MOST_MEMBERS = 20_000
_LONGEST_TABLE = 8 * 2**20
_END, _END64, _LOCATOR64, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", b"PK\x03\x04"
_IN_ZIP64 = 0xFFFFFFFF


class Member(NamedTuple):
    """begin: the first byte of the member's header in the file; size: bytes of its content; plain: neither compressed nor
    encrypted."""

    begin: int
    size: int
    plain: bool


def read_zip_members(file: BinaryIO) -> dict[str, Member]:
    """Return the members of an archive by name. Damaged; Refused if there are too many."""
    size = file_size(file)
    tail_begin = max(0, size - 22 - 0xFFFF)
    tail = read_bytes(file, tail_begin, size - tail_begin)
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < 22:
        raise CutOff("its table of contents is missing")
    count, length, begin = struct.unpack_from("<HII", tail, place + 10)
    if place >= 20 and tail[place - 20 : place - 16] == _LOCATOR64:
        (end64,) = struct.unpack_from("<Q", tail, place - 12)
        if end64 + 56 > size:
            raise Damaged("its table of contents is damaged")
        record = read_bytes(file, end64, 56)
        if record[:4] != _END64:
            raise Damaged("its table of contents is damaged")
        count, length, begin = struct.unpack_from("<QQQ", record, 32)
    if count > MOST_MEMBERS or length > _LONGEST_TABLE:
        raise Refused(f"a table of contents with {count} members, more than any model has")
    if begin + length > size:
        raise Damaged("its table of contents is damaged")
    return _members(read_bytes(file, begin, length), count, size)


def begin_of_content(file: BinaryIO, member: Member) -> int:
    """Return the first byte of the content in the file. Damaged if the member leaves the file; Refused if it is not plain."""
    if not member.plain:
        raise Refused("compressed or encrypted members, which torch.save never writes")
    size = file_size(file)
    if member.begin + 30 > size:
        raise Damaged("a member lies beyond its end")
    header = read_bytes(file, member.begin, 30)
    begin = member.begin + 30 + sum(struct.unpack_from("<HH", header, 26))
    if header[:4] != _LOCAL or begin + member.size > size:
        raise Damaged("a member lies beyond its end")
    return begin


def _members(table: bytes, count: int, size: int) -> dict[str, Member]:
    members: dict[str, Member] = {}
    place = 0
    for _ in range(count):
        if table[place : place + 4] != _ENTRY or place + 46 > len(table):
            raise Damaged("its table of contents is damaged")
        flags, method = struct.unpack_from("<HH", table, place + 8)
        packed, unpacked, name_length, extra_length, comment_length = struct.unpack_from("<IIHHH", table, place + 20)
        (begin,) = struct.unpack_from("<I", table, place + 42)
        name_end = place + 46 + name_length
        name = table[place + 46 : name_end].decode("utf-8", "replace")
        extra = table[name_end : name_end + extra_length]
        unpacked, packed, begin = _zip64(extra, [unpacked, packed, begin])
        if name in members or begin + packed > size:
            raise Damaged(f"its member {printable(name, 80)} stands twice or beyond its end")
        members[name] = Member(begin, unpacked, plain=not method and not flags & 1 and packed == unpacked)
        place = name_end + extra_length + comment_length
    return members


def _zip64(extra: bytes, numbers: list[int]) -> list[int]:
    """Replace the numbers that did not fit in four bytes by those of the extra field."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == 1:
            large = (int.from_bytes(field[at : at + 8], "little") for at in range(0, len(field) - 7, 8))
            return [next(large, number) if number == _IN_ZIP64 else number for number in numbers]
    return numbers
