"""What a file is, from its first bytes as a whole; never from its name, and never from a single byte."""

_PAGES = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<!--", b"<script", b"<svg")
# The beginning of other formats that people have at hand, and what they are
_OTHERS = (
    (b"GGUF", "a GGUF model of llama.cpp"),
    (b"ggml", "a GGML model of llama.cpp"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file of Keras"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture or a sound"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_TAR = slice(257, 262)

HEAD = 512
"""Bytes that `other_kind` wants to see."""


def is_git_lfs_pointer(head: bytes) -> bool:
    """True for the small text that stands in a repository for a large file."""
    return head.startswith(b"version https://git-lfs")


def is_page(head: bytes) -> bool:
    """True for HTML and XML, with or without a byte order mark and white space before."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower().startswith(_PAGES)


def is_torch_zip(head: bytes) -> bool:
    """True for a ZIP archive with something in it."""
    return head.startswith(b"PK\x03\x04")


def is_pickle(head: bytes) -> bool:
    """True for a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def other_kind(head: bytes) -> str | None:
    """Say what else a file is that no reward model can be, with its article; None if nothing is known."""
    for begin, kind in _OTHERS:
        if head.startswith(begin):
            return kind
    if head[_TAR] == b"ustar":
        return "a tar archive"
    return "a JSON text" if head.lstrip()[:1] in (b"{", b"[") else None
