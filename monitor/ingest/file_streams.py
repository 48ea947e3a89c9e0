"""The bytes of one file, decompressed as they are read, in memory that does not depend on the file.

What a file is, is told by its first bytes and not by its name: rotation renames files at will.
"""

import zlib
from io import FileIO
from typing import Protocol

import zstandard

__all__ = ["Damaged", "Stream", "open_stream"]

_RAW_BYTES = 64 * 1024
# zstd gives out all that one piece of input holds: a few input bytes may stand for 128 KiB.
_ZSTD_PIECE_BYTES = 1024
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
_OTHERS = {
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"PAR1": "parquet",
}


class Damaged(Exception):
    """A file can't be read on: `reason`, at `raw_offset` of the file as it lies on disk."""

    def __init__(self, reason: str, raw_offset: int) -> None:
        super().__init__(f"{reason} (byte {raw_offset} of the file)")
        self.reason = reason
        self.raw_offset = raw_offset


class Stream(Protocol):
    """The decompressed bytes of a file, from its beginning."""

    @property
    def compressed(self) -> bool: ...

    @property
    def raw_offset(self) -> int:
        """How far the file on disk is read."""

    @property
    def ended(self) -> bool:
        """True between two members or frames: a file that ends here is whole. False for a plain file."""

    def fileno(self) -> int: ...

    def read(self, size: int) -> bytes:
        """Up to about `size` bytes; none at the present end, after which the file may grow.

        Raises Damaged, and OSError where the disk does.
        """

    def skip(self, size: int) -> bool:
        """Passes over `size` bytes at once where that is possible; else False, and nothing happened."""

    def close(self) -> None: ...


class _Plain:
    compressed = False
    ended = False

    def __init__(self, file: FileIO) -> None:
        self._file = file

    @property
    def raw_offset(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def skip(self, size: int) -> bool:
        self._file.seek(size, 1)
        return True

    def close(self) -> None:
        self._file.close()


class _Gzip:
    compressed = True

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(31)
        self._rest = b""
        self._started = False
        self._members = 0
        self._damage: Damaged | None = None

    @property
    def raw_offset(self) -> int:
        return self._file.tell() - len(self._rest)

    @property
    def ended(self) -> bool:
        return self._members > 0 and not self._started and not self._rest

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        while True:
            if self._damage is not None:
                raise self._damage
            raw = self._rest or self._file.read(_RAW_BYTES)
            if not self._started and self._members:
                raw = raw.lstrip(b"\0")  # Tapes and disks pad a file with zeros; gzip skips them too.
            if not raw:
                self._rest = b""
                # The last bytes of a member may wait inside zlib when no input is left.
                return self._inflate.decompress(b"", size) if self._started else b""
            out = self._member(raw, size)
            if out:
                return out

    def _member(self, raw: bytes, size: int) -> bytes:
        before = self._inflate.copy()
        try:
            out = self._inflate.decompress(raw, size)
        except zlib.error as e:
            self._damage = Damaged(f"gzip: {e}", self._file.tell() - len(raw))
            return _salvage(before, raw)
        self._started = not self._inflate.eof
        if self._inflate.eof:
            self._rest = self._inflate.unused_data
            self._inflate = zlib.decompressobj(31)
            self._members += 1
        else:
            self._rest = self._inflate.unconsumed_tail
        return out

    def skip(self, size: int) -> bool:
        return False

    def close(self) -> None:
        self._file.close()


def _salvage(inflate: "zlib._Decompress", raw: bytes) -> bytes:
    """What comes out of `raw` up to where it is damaged: zlib gives nothing of a call that fails."""
    parts: list[bytes] = []
    for i in range(len(raw)):
        try:
            parts.append(inflate.decompress(raw[i : i + 1]))
        except zlib.error:
            break
    return b"".join(parts)


class _Zstd:
    compressed = True

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._raw = b""
        self._at = 0
        self._started = False
        self._frames = 0
        self._damage: Damaged | None = None

    @property
    def raw_offset(self) -> int:
        return self._file.tell() - (len(self._raw) - self._at)

    @property
    def ended(self) -> bool:
        return self._frames > 0 and not self._started and self._at == len(self._raw)

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and self._damage is None:
            if self._at == len(self._raw):
                self._raw, self._at = self._file.read(_RAW_BYTES), 0
                if not self._raw:
                    break
            part = self._piece()
            parts.append(part)
            size -= len(part)
        if self._damage is not None and not any(parts):
            raise self._damage
        return b"".join(parts)

    def _piece(self) -> bytes:
        piece = self._raw[self._at : self._at + _ZSTD_PIECE_BYTES]
        try:
            out = self._frame.decompress(piece)
        except zstandard.ZstdError as e:
            self._damage = Damaged(f"zstd: {e}", self.raw_offset)
            return b""
        self._at += len(piece)
        self._started = not self._frame.eof
        if self._frame.eof:
            self._at -= len(self._frame.unused_data)
            self._frame = self._decompressor.decompressobj()
            self._frames += 1
        return out

    def skip(self, size: int) -> bool:
        return False

    def close(self) -> None:
        self._file.close()


def open_stream(path: str) -> Stream:
    """Opens a file as what its first bytes say it is.

    Raises OSError, and Damaged where it is of a kind that can't be read.
    """
    file = FileIO(path, "rb")
    try:
        magic = file.read(6)
        file.seek(0)
    except OSError:
        file.close()
        raise
    if magic.startswith(_GZIP):
        return _Gzip(file)
    skippable = magic[1:4] == _ZSTD_SKIPPABLE and magic[0] & 0xF0 == 0x50
    if magic.startswith(_ZSTD) or skippable:
        return _Zstd(file)
    for other, name in _OTHERS.items():
        if magic.startswith(other):
            file.close()
            raise Damaged(f"this is {name}; gzip, zstd and plain files can be read", 0)
    return _Plain(file)
