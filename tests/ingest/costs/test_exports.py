"""Exports of costs to events, and which of them count."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import DAY_MS
from monitor.errors import SourceError
from monitor.ingest.costs.exports import Added, add, cost_events, read_exports
from monitor.ingest.costs.formats import Charge, Focus
from monitor.ingest.events.decode import EventDecoder
from monitor.ingest.events.kinds import Cost
from monitor.operations.costs import current
from monitor.store.events import Stored
from tests.ingest.costs.making import AZURE_EA, AZURE_MCA, FOCUS, TAGS, export, table, written
from tests.ingest.events.making import chunk_of

DAY = 1_790_985_600_000  # 2026-10-03
NOW = DAY + 30 * DAY_MS
CHARGE = replace(Focus().charge({name.lower(): text for name, text in FOCUS.items()}), amount=Decimal(0))


def stored(*messages: bytes) -> list[Stored]:
    """The events as the store keeps them: each once."""
    decoded = EventDecoder(max_ahead_ms=1 << 50).decode(chunk_of(*messages))
    assert not decoded.dead
    once = {(e.source, e.id): e for e in decoded.events}
    return [Stored(i, e.source, e.id, e.kind, e.ts_ms, 0, e.data) for i, e in enumerate(once.values())]


def costs(path: Path) -> list[Cost]:
    added = read_exports([path], NOW)
    assert not added.bad
    return current(stored(*cost_events(added, NOW)))


@pytest.mark.parametrize("like", [FOCUS, AZURE_EA, AZURE_MCA], ids=["focus", "azure ea", "azure mca"])
def test_rows_of_a_day_become_one_cost(tmp_path: Path, like: Mapping[str, str]) -> None:
    (cost,) = costs(written(tmp_path / "e.csv", export(like, {}, {})))
    assert (cost.amount, cost.currency, cost.category) == (5.0, "EUR", "usage")
    assert (cost.begin, cost.end, cost.service) == (DAY, DAY + DAY_MS, "Virtual Machines")
    assert (cost.tags, cost.model, cost.tag("team")) == (TAGS, "fraud", "risk")


def test_files_may_be_gzipped_or_parquet(tmp_path: Path) -> None:
    rows = export(FOCUS, {}, {"ChargeCategory": "Credit", "EffectiveCost": "-1"})
    plain = costs(written(tmp_path / "e.csv", rows))
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress(table(rows).encode()))
    assert costs(tmp_path / "e.csv.gz") == plain
    frame = pd.DataFrame(rows).astype({"EffectiveCost": float})
    frame["ChargePeriodStart"] = pd.to_datetime(frame["ChargePeriodStart"])
    frame["Tags"] = [TAGS] * 2
    frame.to_parquet(tmp_path / "e.parquet")
    assert costs(tmp_path / "e.parquet") == plain


@pytest.mark.parametrize(
    ("like", "changed", "category", "amount"),
    [
        (FOCUS, {"ChargeCategory": "Credit", "EffectiveCost": "-4"}, "credit", -4),
        (FOCUS, {"ChargeClass": "Correction", "EffectiveCost": "-4"}, "adjustment", -4),
        (FOCUS, {"ChargeCategory": "Tax"}, "tax", 2.5),
        (AZURE_EA, {"ChargeType": "Refund", "CostInBillingCurrency": "-4"}, "adjustment", -4),
        (AZURE_EA, {"ChargeType": "UnusedReservation"}, "usage", 2.5),
    ],
)
def test_a_charge_keeps_what_kind_it_is(
    tmp_path: Path, like: Mapping[str, str], changed: dict[str, str], category: str, amount: float
) -> None:
    (cost,) = costs(written(tmp_path / "e.csv", export(like, changed)))
    assert (cost.category, cost.amount) == (category, amount)


@pytest.mark.parametrize(
    ("changed", "reason", "said"),
    [
        ({"BillingCurrency": "EUX"}, "unknown_currency", "'EUX'"),
        ({"BillingCurrency": ""}, "unknown_currency", "ISO 4217"),
        ({"EffectiveCost": "-1"}, "negative", "amount is -1"),
        ({"EffectiveCost": "much"}, "bad_value", "EffectiveCost 'much'"),
        ({"EffectiveCost": "inf"}, "bad_value", "EffectiveCost 'inf'"),
        ({"ChargePeriodStart": "2026-13-01"}, "bad_ts", "ChargePeriodStart '2026-13-01'"),
        ({"ChargePeriodEnd": "2026-10-01"}, "ends_before_start", "ChargePeriodEnd"),
        ({"ChargePeriodStart": "2027-01-01", "ChargePeriodEnd": "2027-01-02"}, "future_ts", "2027-01-01"),
        ({"ChargeCategory": "Fun"}, "bad_value", "ChargeCategory 'Fun'"),
        ({"Tags": '{"team"'}, "bad_value", "Tags"),
        ({"Tags": '{"": "x"}'}, "bad_value", "length"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_others_are_not(
    tmp_path: Path, changed: dict[str, str], reason: str, said: str
) -> None:
    path = written(tmp_path / "e.csv", export(FOCUS, {}, changed))
    added = read_exports([path], NOW)
    (bad,) = added.bad
    assert (bad.place, bad.reason, added.rows) == (f"{path}:3", reason, 1)
    assert said in bad.detail


def test_what_is_no_export_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"EffectiveCost or BilledCost.*azure: CostInBillingCurrency"):
        read_exports([tmp_path / "x.csv"], NOW)
    for name in ("x.csv.gz", "x.parquet", "none.csv"):
        if name != "none.csv":
            (tmp_path / name).write_bytes(b"no such thing")
        with pytest.raises(SourceError, match=name):
            read_exports([tmp_path / name], NOW)


_charges = st.builds(
    lambda part, day, service, cents: replace(
        CHARGE,
        part=part,
        begin_ms=DAY + day * DAY_MS,
        end_ms=DAY + (day + 1) * DAY_MS,
        service=service,
        amount=Decimal(cents).scaleb(-2),
    ),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
    st.sampled_from(["compute", "storage"]),
    st.integers(0, 10**6),
)


def issue(charges: list[Charge], issued_ms: int) -> list[bytes]:
    added = Added()
    for charge in charges:
        add(added, "focus", charge)
    return list(cost_events(added, issued_ms))


@given(st.lists(st.lists(_charges, max_size=8), min_size=1, max_size=4), st.randoms())
def test_of_each_part_and_day_the_newest_issue_counts_in_whatever_order_they_come(
    exports: list[list[Charge]], random: object
) -> None:
    wanted: dict[tuple[str, int], Decimal] = {}
    messages = []
    for number, charges in enumerate(exports):
        wanted |= {
            (c.part, c.begin_ms): sum(
                (d.amount for d in charges if (d.part, d.begin_ms) == (c.part, c.begin_ms)), Decimal(0)
            )
            for c in charges
        }
        # The same rows in another order are the same events.
        shuffled = list(charges)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        assert issue(shuffled, DAY + number) == issue(charges, DAY + number)
        messages += issue(charges, DAY + number) * 2
    random.shuffle(messages)  # type: ignore[attr-defined]
    total = sum(cost.amount for cost in current(stored(*messages)))
    assert total == pytest.approx(float(sum(wanted.values())))


def test_an_issue_counts_once_it_is_there_as_a_whole() -> None:
    both = [replace(CHARGE, service=name, amount=Decimal(n)) for name, n in (("a", 1), ("b", 2))]
    old, new = issue(both, DAY), issue([replace(c, amount=c.amount * 10) for c in both], DAY + 1)
    assert sum(c.amount for c in current(stored(*old, new[0]))) == 3
    assert sum(c.amount for c in current(stored(*old, *new))) == 30


def test_costs_that_name_no_issue_all_count() -> None:
    message = json.loads(issue([replace(CHARGE, amount=Decimal(1))], DAY)[0])
    del message["data"]["issue"]
    again = {**message, "id": "other"}
    assert len(current(stored(msgspec.json.encode(message), msgspec.json.encode(again)))) == 2
