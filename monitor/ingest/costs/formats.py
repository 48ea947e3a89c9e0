"""What the columns of cost exports mean: FOCUS 1.0, and Azure Cost Management's of Enterprise Agreements (EA)
and Microsoft Customer Agreements (MCA), actual or amortized. Told apart by their header.

FOCUS: https://focus.finops.org/focus-specification/v1-0/; Azure:
https://learn.microsoft.com/azure/cost-management-billing/dataset-schema/schema-index.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Protocol

import msgspec

from monitor.clock import DAY_MS
from monitor.ingest.checks import BadRecord
from monitor.ingest.costs.table import Row
from monitor.ingest.events.kinds import Cost

__all__ = ["FORMATS", "Azure", "Charge", "Focus", "Format", "format_of", "looked_for"]

# Categories of FOCUS, and what Azure calls a charge, as ours.
_FOCUS = {name: name for name in ("usage", "purchase", "tax", "credit", "adjustment")}
_AZURE = {
    "usage": "usage",
    "unusedreservation": "usage",
    "unusedsavingsplan": "usage",
    "purchase": "purchase",
    "tax": "tax",
    "credit": "credit",
    "refund": "adjustment",
    "roundingadjustment": "adjustment",
    "adjustment": "adjustment",
}
_PLACES = Decimal("1e-12")
_TRUE = ("true", "yes", "1")


@dataclass(frozen=True, slots=True)
class Charge:
    """A row's charge: `account` is whose bill it is on, `part` the sub-account that it is of. A span of less
    than a day is put on its day (UTC); a longer one keeps its `end_ms`."""

    account: str
    part: str
    begin_ms: int
    end_ms: int
    amount: Decimal
    currency: str
    category: str
    service: str
    resource: str
    tags: tuple[tuple[str, str], ...]

    @property
    def shared(self) -> bool:
        return any(name.lower() == "shared" and value.lower() in _TRUE for name, value in self.tags)

    def data(self) -> dict[str, object]:
        """The data of a `cost` event, without its issue. Raises BadRecord for what the contract refuses."""
        data = {
            "begin": self.begin_ms,
            "end": self.end_ms,
            "amount": float(self.amount),
            "currency": self.currency,
            "category": self.category,
            "service": self.service,
            "resource": self.resource or None,
            "tags": dict(self.tags),
            "shared": self.shared,
        }
        try:
            cost = msgspec.convert(data, Cost)
        except msgspec.ValidationError as e:
            raise BadRecord("bad_value", str(e)) from None
        for mistake in cost.mistakes():
            raise mistake
        return data


class Format(Protocol):
    """An export's format: its name, and the columns that it must have, each one of several."""

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]: ...

    def charge(self, row: Row) -> Charge:
        """Raises BadRecord with the column that is wrong."""
        ...


class Focus:
    """FOCUS 1.0. Counts the effective cost, so that what was paid up front lies on the days that use it."""

    name = "focus"
    needs: tuple[tuple[str, ...], ...] = (
        ("EffectiveCost", "BilledCost"),
        ("BillingCurrency",),
        ("ChargeCategory",),
        ("ChargePeriodStart",),
        ("ChargePeriodEnd",),
    )

    def charge(self, row: Row) -> Charge:
        begin, end = _time(row, "ChargePeriodStart"), _time(row, "ChargePeriodEnd")
        if end < begin:
            raise BadRecord("ends_before_start", "ChargePeriodEnd lies before ChargePeriodStart")
        category = _category(row, "ChargeCategory", _FOCUS)
        amount = _amount(row, "EffectiveCost", "BilledCost")
        # A correction of an earlier bill keeps the category of what it corrects.
        if amount < 0 and _get(row, "ChargeClass").lower() == "correction":
            category = "adjustment"
        begin_ms = _day_ms(begin)
        return Charge(
            account=_get(row, "BillingAccountId"),
            part=_get(row, "SubAccountId"),
            begin_ms=begin_ms,
            end_ms=max(begin_ms + DAY_MS, _day_ms(end)),
            amount=amount,
            currency=_get(row, "BillingCurrency").upper(),
            category=category,
            service=_get(row, "ServiceName"),
            resource=_get(row, "ResourceId"),
            tags=_tags(row),
        )


class Azure:
    """Azure Cost Management, by either agreement's names for the same columns."""

    name = "azure"
    needs: tuple[tuple[str, ...], ...] = (
        ("CostInBillingCurrency",),
        ("BillingCurrencyCode", "BillingCurrency"),
        ("Date",),
        ("ChargeType",),
    )

    def charge(self, row: Row) -> Charge:
        begin_ms = _day_ms(_time(row, "Date"))
        return Charge(
            account=_get(row, "BillingAccountId"),
            part=_get(row, "SubscriptionId").lower(),
            begin_ms=begin_ms,
            end_ms=begin_ms + DAY_MS,
            amount=_amount(row, "CostInBillingCurrency"),
            currency=_get(row, "BillingCurrencyCode", "BillingCurrency").upper(),
            category=_category(row, "ChargeType", _AZURE),
            service=_get(row, "MeterCategory"),
            # Azure writes one resource's id in several cases.
            resource=_get(row, "ResourceId").lower(),
            tags=_tags(row),
        )


FORMATS: tuple[Format, ...] = (Focus(), Azure())


def format_of(columns: Collection[str]) -> Format | None:
    """The format that has these columns (in lower case); None where none does."""
    return next(
        (one for one in FORMATS if all(any(n.lower() in columns for n in names) for names in one.needs)), None
    )


def looked_for() -> str:
    """What a header must have, for a person."""
    return "; or ".join(
        f"{one.name}: {', '.join(' or '.join(names) for names in one.needs)}" for one in FORMATS
    )


def _get(row: Row, *names: str) -> str:
    """The first of the columns that isn't empty."""
    return next((value for name in names if (value := (row.get(name.lower()) or "").strip())), "")


def _category(row: Row, name: str, known: dict[str, str]) -> str:
    text = _get(row, name)
    if text.lower() not in known:
        raise BadRecord("bad_value", f"{name} {text[:40]!r} is none of {', '.join(known)}")
    return known[text.lower()]


def _amount(row: Row, *names: str) -> Decimal:
    text = _get(row, *names)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > 10**12:
        raise BadRecord("bad_value", f"{names[0]} {text[:40]!r} is no amount, such as 12.5")
    # So many places that sums are exact, and thus the same in whatever order rows come.
    return amount.quantize(_PLACES)


def _time(row: Row, name: str) -> datetime:
    """ISO 8601, or a day as Azure writes it, month first; UTC where it names no zone."""
    text = _get(row, name)
    try:
        found = datetime.strptime(text, "%m/%d/%Y") if "/" in text else datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year < 9000:
        raise BadRecord("bad_ts", f"{name} {text[:40]!r} is no date, such as 2026-10-31 or 10/31/2026")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _day_ms(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(days=1) * DAY_MS


def _tags(row: Row) -> tuple[tuple[str, str], ...]:
    """Tags as JSON, or as Azure writes it: JSON without its braces."""
    text = _get(row, "Tags")
    if not text:
        return ()
    try:
        found = json.loads(text if text.startswith("{") else f"{{{text}}}")
    except ValueError:
        raise BadRecord("bad_value", f"Tags {text[:40]!r} are no JSON object") from None
    return tuple(sorted((str(name), "" if value is None else str(value)) for name, value in found.items()))
