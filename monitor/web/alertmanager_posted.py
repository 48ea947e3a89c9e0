"""Alerts as they are posted: what the schema asks for, what is refused, and what is made of the rest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from monitor.paging.alert import Alert, Status, labels_of, labels_text, quoted
from monitor.paging.api_times import parsed_ms
from monitor.paging.limits import ahead, problem
from monitor.web.alertmanager_answers import INVALID_TYPE, REQUIRED, malformed, outside

__all__ = ["Posted", "posted_alerts"]

_SHOWN_REFUSALS = 10
_URI = re.compile(r"(/|[a-zA-Z][a-zA-Z0-9+.-]*:)[^\s\x00-\x1f]*")


class _Alert(msgspec.Struct):
    # Named as in the API.
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    generatorURL: str | None = None


_decoder = msgspec.json.Decoder(list[_Alert] | None)


@dataclass(frozen=True, slots=True)
class Posted:
    """The alerts that can be taken, and for each other one a sentence; `resolved` counts those of all that
    had ended when they were posted."""

    alerts: tuple[Alert, ...]
    refused: tuple[str, ...]
    resolved: int = 0

    @property
    def refusal(self) -> str:
        """What to answer about those that are refused."""
        shown_ones = self.refused[:_SHOWN_REFUSALS]
        more = len(self.refused) - len(shown_ones)
        return "; ".join(shown_ones) + (f"; and {more} more alerts" if more else "")


def posted_alerts(body: bytes, now_ms: int, resolve_timeout_ms: int) -> Posted:
    """The alerts of a body. Raises Answer where it breaks the schema: then none of them is taken."""
    if not body.strip():
        raise outside(REQUIRED, "alerts in body is required")
    try:
        found = _decoder.decode(body) or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        why = "too deeply nested" if isinstance(e, RecursionError) else str(e)
        raise malformed(f"parsing alerts body failed, because {why}") from None
    times = [_checked(i, one) for i, one in enumerate(found)]
    alerts, refused, resolved = [], [], 0
    for i, (one, (starts_ms, ends_ms)) in enumerate(zip(found, times, strict=True)):
        alert = _alert(one, starts_ms, ends_ms, now_ms, resolve_timeout_ms)
        resolved += alert.status_at(now_ms) is Status.RESOLVED
        wrong = ahead(starts_ms, now_ms) or problem(alert)
        if wrong is None:
            alerts.append(alert)
        else:
            refused.append(f"{wrong}: alert {i}, {labels_text(alert.labels)[:200]}")
    return Posted(tuple(alerts), tuple(refused), resolved)


def _checked(i: int, one: _Alert) -> tuple[int | None, int | None]:
    """Its times, ms. Raises Answer where it breaks the schema."""
    if one.labels is None:
        raise outside(REQUIRED, f"{i}.labels in body is required")
    if one.generatorURL and _URI.fullmatch(one.generatorURL) is None:
        url = quoted(one.generatorURL[:200])
        raise outside(INVALID_TYPE, f"{i}.generatorURL in body must be of type uri: {url}")
    found = []
    for name in ("startsAt", "endsAt"):
        try:
            found.append(parsed_ms(getattr(one, name)))
        except ValueError as e:
            raise malformed(f"parsing alerts body failed, because {i}.{name}: {e}") from None
    return found[0], found[1]


def _alert(
    one: _Alert, starts_ms: int | None, ends_ms: int | None, now_ms: int, resolve_timeout_ms: int
) -> Alert:
    if starts_ms is None:
        starts_ms = now_ms if ends_ms is None else ends_ms
    timeout = ends_ms is None
    return Alert(
        labels=labels_of(_texts(one.labels)),
        annotations=tuple(sorted(_texts(one.annotations).items())),
        starts_ms=starts_ms,
        ends_ms=now_ms + resolve_timeout_ms if ends_ms is None else ends_ms,
        updated_ms=now_ms,
        timeout=timeout,
        generator_url=one.generatorURL or "",
    )


def _texts(values: Mapping[str, str | None] | None) -> dict[str, str]:
    return {name: value or "" for name, value in (values or {}).items()}
