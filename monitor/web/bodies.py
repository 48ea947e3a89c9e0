"""What was posted, as one JSON text per record; the bytes of each record are kept."""

import re
import zlib

import msgspec

from monitor.web.answers import Refused

__all__ = ["decompress", "split"]

_NDJSON = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_MAX_GZIP_MEMBERS = 100
_LINE_ENDS = re.compile(rb"[\r\n]+")
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_one = msgspec.json.Decoder(msgspec.Raw).decode
_many = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body without its Content-Encoding, gzip or none.

    Raises Refused: 413 over `max_bytes`, 415 for another encoding, 400 for broken data.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(415, "Content-Encoding must be gzip or identity")
    pieces: list[bytes] = []
    room = max_bytes
    while body:
        if len(pieces) == _MAX_GZIP_MEMBERS:
            raise Refused(400, f"the gzip body has more than {_MAX_GZIP_MEMBERS} members")
        inflate = zlib.decompressobj(wbits=31)
        try:
            pieces.append(inflate.decompress(body, room + 1))
        except zlib.error:
            raise Refused(400, "the body is no gzip") from None
        room -= len(pieces[-1])
        if room < 0:
            raise Refused(413, f"the body has more than {max_bytes} bytes unpacked; send less at once")
        if not inflate.eof:
            raise Refused(400, "the gzip body ends too early")
        body = inflate.unused_data
    return b"".join(pieces)


def split(body: bytes, content_type: str) -> list[bytes]:
    """The records of a body: one object, an array, or NDJSON; each without line ends.

    A bad record among others is kept as it is, and becomes a dead letter. Raises Refused (400) where
    the body as a whole is no JSON.
    """
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise Refused(400, "the body is empty; one record, an array of records, or NDJSON is wanted")
    if content_type.partition(";")[0].strip().lower() in _NDJSON:
        return _lines(body)
    if body.startswith(b"["):
        try:
            return [_flat(bytes(element)) for element in _many(body)]
        except _REFUSED as e:
            raise Refused(400, f"the body is no JSON array: {_said(e)}") from None
    if not body.startswith(b"{"):
        raise Refused(400, "the body starts with neither { nor [; records are JSON objects")
    try:
        _one(body)
    except _REFUSED as e:
        if _starts_with_record(body):
            return _lines(body)
        raise Refused(400, f"the body is no JSON: {_said(e)}") from None
    return [_flat(body)]


def _lines(body: bytes) -> list[bytes]:
    return [line for line in map(bytes.strip, _LINE_ENDS.split(body)) if line]


def _starts_with_record(body: bytes) -> bool:
    """Whether the first of several lines is JSON by itself: then they are NDJSON."""
    first, end, _ = body.partition(b"\n")
    try:
        _one(first)
    except _REFUSED:
        return False
    return bool(end)


def _flat(record: bytes) -> bytes:
    # Inside of a JSON string a line end is escaped, so those that are left are space between tokens.
    return _LINE_ENDS.sub(b" ", record)


def _said(error: Exception) -> str:
    return "too deeply nested" if isinstance(error, RecursionError) else str(error)
