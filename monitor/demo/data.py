"""The demo's logs, as the package carries them.

How they were made, and what is to be found in them, is told by `data/SOURCE.md` and `faults()`.
"""

import importlib.resources
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import zstandard

__all__ = ["faults", "inferences", "labels", "shifted", "span"]

_DATA = importlib.resources.files("monitor.demo") / "data"


class _Times(msgspec.Struct):
    ts: int | None = None
    feature_ts: int | None = None
    prediction_ts: int | None = None


_times = msgspec.json.Decoder(_Times)


def inferences() -> Iterator[bytes]:
    """The lines of the inference log in order of arrival, without line ends; a few are malformed."""
    return _lines("inferences.jsonl.zst")


def labels() -> Iterator[bytes]:
    """The lines of the label log in order of arrival, without line ends; a few are malformed."""
    return _lines("labels.jsonl.zst")


def faults() -> dict[str, Any]:
    """What was done to the stream, when, and what the files hold: the content of faults.json."""
    found: dict[str, Any] = msgspec.json.decode((_DATA / "faults.json").read_bytes())
    return found


def span() -> tuple[int, int]:
    """The lowest and the highest timestamp of a valid record, ms since the epoch."""
    stream = faults()["stream"]
    return stream["first_ts_ms"], stream["last_ts_ms"]


def shifted(lines: Iterable[bytes], delta_ms: int) -> Iterator[bytes]:
    """The lines with `ts`, `feature_ts` and `prediction_ts` moved by `delta_ms`, all else byte for byte.

    A line that is not UTF-8, no JSON object, or whose times are not integers passes as it is; one that
    is malformed in another way (no id, a negative latency) is moved like the rest. Times are looked for
    as this package writes them: no space after the colon, and the first of a name is the record's.
    """
    for line in lines:
        try:
            line.decode()
            times = _times.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield line
            continue
        for name in ("ts", "feature_ts", "prediction_ts"):
            ms = getattr(times, name)
            if ms is not None:
                line = line.replace(
                    b'"%b":%d' % (name.encode(), ms), b'"%b":%d' % (name.encode(), ms + delta_ms), 1
                )
        yield line


def _lines(name: str) -> Iterator[bytes]:
    with (
        (_DATA / name).open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as plain,
        io.BufferedReader(plain, 1 << 20) as lines,
    ):
        for line in lines:
            yield line.rstrip(b"\n")
