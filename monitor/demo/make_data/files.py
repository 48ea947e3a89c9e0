"""Writes the files of the package."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import zstandard

__all__ = ["write_json", "write_lines"]

# Readers need 32 MiB for a window of 2^25 bytes; a larger one saves little.
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(22, window_log=25, write_checksum=True)


def write_lines(path: Path, lines: Iterable[bytes]) -> int:
    """Writes the lines, compressed, each with its line end. Returns the bytes of the file."""
    text = b"".join(line + b"\n" for line in lines)
    path.write_bytes(zstandard.ZstdCompressor(compression_params=_PARAMETERS).compress(text))
    return path.stat().st_size


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
