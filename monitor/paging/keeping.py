"""The pager's state and silences, to the store and back."""

from collections.abc import Iterable, Sequence

import msgspec

from monitor.paging.actions.acting import Acting
from monitor.paging.calm.calm import Calm
from monitor.paging.matching import matcher_text, parse_matcher
from monitor.paging.silence import Repeat, Silence
from monitor.paging.state import Kind, PagerState, read
from monitor.store.incidents import EntryRow
from monitor.store.paging import read_state
from monitor.store.silences import SilenceRow, list_silences, put_silences
from monitor.store.store import Store

__all__ = [
    "keep_silences",
    "kept",
    "kept_silences",
    "kept_state",
    "silence_of",
    "silence_row",
]

_KINDS = frozenset(map(str, Kind))


def kept_state(store: Store) -> PagerState:
    """Everything that the pager wrote down of alerts and groups."""
    return _state(read_state(store))


def kept(store: Store) -> tuple[PagerState, Calm, Acting]:
    """Everything that the pager wrote down, what its other messages rest on, and what actions did."""
    documents = read_state(store)
    return _state(documents), Calm(documents), Acting(documents)


def _state(documents: Iterable[tuple[str, bytes]]) -> PagerState:
    state = PagerState()
    for kind, document in documents:
        if kind in _KINDS:
            state.add(read(Kind(kind), document))
    return state


class _Silence(msgspec.Struct):
    matchers: list[str]
    starts_ms: int
    ends_ms: int
    updated_ms: int
    created_by: str
    comment: str
    repeat: Repeat | None
    time_zone: str
    until_ms: int | None


_decoder = msgspec.json.Decoder(_Silence)


def silence_row(silence: Silence) -> SilenceRow:
    """The silence as a row; one that recurs ends when the last of it does."""
    s = silence
    document = _Silence(
        [matcher_text(m) for m in s.matchers],
        s.starts_ms,
        s.ends_ms,
        s.updated_ms,
        s.created_by,
        s.comment,
        s.repeat,
        s.time_zone,
        s.until_ms,
    )
    return SilenceRow(s.id, s.until_ms if s.repeat else s.ends_ms, msgspec.json.encode(document))


def silence_of(row: SilenceRow) -> Silence:
    """What `silence_row` made a row of."""
    d = _decoder.decode(row.document)
    return Silence(
        row.id,
        tuple(map(parse_matcher, d.matchers)),
        d.starts_ms,
        d.ends_ms,
        d.updated_ms,
        d.created_by,
        d.comment,
        d.repeat,
        d.time_zone,
        d.until_ms,
    )


def keep_silences(store: Store, silences: Sequence[Silence], entries: Sequence[EntryRow] = ()) -> None:
    """Keeps all of them, and in the timeline who did it, or nothing. Raises StoreBusy."""
    put_silences(store, *map(silence_row, silences), entries=entries)


def kept_silences(store: Store) -> list[Silence]:
    """All silences that there are, expired ones of the last days among them."""
    return [silence_of(row) for row in list_silences(store)]
