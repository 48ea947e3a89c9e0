"""Exports to `cost` events: charges added up per day, service, resource, tags and category.

An export is issued again, with amounts corrected, tags added, charges gone. So each event names its issue:
of the events of one source and part (a sub-account's day), those of the newest issue that is there as a
whole count, and all of those. The issue's time is part of the ids, thus the same file again is nothing new.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import msgspec

from monitor.clock import rfc3339
from monitor.errors import SourceError
from monitor.ingest.checks import BadRecord
from monitor.ingest.costs.formats import Charge, format_of, looked_for
from monitor.ingest.costs.table import rows_of
from monitor.ingest.events.kinds import PREFIX

__all__ = ["Added", "BadRow", "add", "cost_events", "read_exports"]

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is refused: where it stands, and why."""

    place: str
    reason: str
    detail: str


@dataclass(slots=True)
class Added:
    """Charges by what they are of, under the source that says so; and what was read to get there."""

    amounts: defaultdict[tuple[str, Charge], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    rows: int = 0
    bad: list[BadRow] = field(default_factory=list)


def read_exports(paths: Sequence[Path], now_ms: int) -> Added:
    """The charges of all of the files together. Raises SourceError for a file that can't be read or is no
    export that is known."""
    added = Added()
    for path in paths:
        columns, rows = rows_of(path)
        form = format_of(columns)
        if form is None:
            raise SourceError(f"{path}: no export of costs; its header must have {looked_for()}")
        for line, row in rows:
            try:
                charge = form.charge(row)
                if charge.begin_ms > now_ms:
                    raise BadRecord("future_ts", f"{rfc3339(charge.begin_ms)} has not come yet")
                charge.data()
            except BadRecord as e:
                added.bad.append(BadRow(f"{path}:{line}", e.reason, e.detail))
            else:
                added.rows += 1
                add(added, form.name, charge)
    return added


def add(added: Added, form: str, charge: Charge) -> None:
    """Adds a charge to those that are like it."""
    source = f"{form}:{charge.account}" if charge.account else form
    added.amounts[source, replace(charge, amount=_ZERO)] += charge.amount


def cost_events(added: Added, issued_ms: int) -> Iterator[bytes]:
    """The events, in structured mode. The same charges issued then make the same events, in whatever order
    they were read."""
    parts: defaultdict[tuple[str, str, int], list[tuple[Charge, Decimal]]] = defaultdict(list)
    for (source, charge), amount in added.amounts.items():
        parts[source, charge.part, charge.begin_ms].append((charge, amount))
    for (source, part, day_ms), charges in sorted(parts.items()):
        shown = sorted(
            msgspec.json.encode(replace(charge, amount=amount).data()) for charge, amount in charges
        )
        name = f"{part}@{rfc3339(day_ms)[:10]}"
        issue = _digest(name, str(issued_ms), *shown)
        for number, data in enumerate(shown):
            about = {"id": issue, "part": name, "at": issued_ms, "events": len(shown)}
            event = {
                "specversion": "1.0",
                "id": f"{issue}-{number}",
                "source": source,
                "type": f"{PREFIX}cost",
                "data": {**msgspec.json.decode(data), "issue": about},
            }
            yield msgspec.json.encode(event)


def _digest(*texts: str | bytes) -> str:
    digest = blake2b(digest_size=16)
    for text in texts:
        data = text.encode() if isinstance(text, str) else text
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
