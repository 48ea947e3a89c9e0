"""What the formats have in common: reading them, and what is kept of what they say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from monitor.paging.alert import Alert, labels_of
from monitor.paging.api_times import parsed_ms
from monitor.paging.limits import ahead, problem

__all__ = ["HELD_MS", "Malformed", "Taken", "checked", "decoded", "known_labels", "moment_ms", "spanned"]

T = TypeVar("T")

# These senders say when something ends. One that has said nothing for a week is gone.
HELD_MS = 7 * 86_400_000

_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_SEVERITIES = {
    "page": "page critical crit error high fatal emergency disaster p1 p2 sev0 sev1",
    "ticket": "ticket warning warn medium average p3 sev2",
    "info": "info information informational notice low none debug verbose p4 p5 sev3 sev4",
}
_SEVERITY = {name: ours for ours, names in _SEVERITIES.items() for name in names.split()}
# Under which names others have what we group by, the likeliest first.
_ALIASES = {
    "model": ("model_name", "modelName", "ModelName", "model_id", "inference_service", "deployment_name"),
    "version": ("model_version", "modelVersion", "ModelVersion"),
    "objective": ("slo", "slo_name", "sloth_slo"),
}


class Malformed(ValueError):
    """What came isn't of the format; the message begins with the key."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The alerts that can be taken, and for each other one a sentence that begins with its key. `missing`:
    so many the sender has left out."""

    alerts: tuple[Alert, ...]
    refused: tuple[str, ...] = ()
    missing: int = 0


def decoded(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """Raises Malformed."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as e:
        found = _PLACE.fullmatch(str(e))
        what, place = (str(e), "") if found is None else found.groups()
        raise Malformed(f"{place or 'body'}: {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise Malformed(f"body: no JSON: {e}") from None
    except RecursionError:
        raise Malformed("body: too deeply nested") from None


def moment_ms(text: str | None, key: str) -> int | None:
    """None for no time. Raises Malformed."""
    try:
        return parsed_ms(text)
    except ValueError as e:
        raise Malformed(f"{key}: {e}") from None


def known_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels, and those that we go by: severity in our three words, and model, version and objective
    also from the names that others have for them."""
    found = dict(labels)
    if (severity := _SEVERITY.get(found.get("severity", "").lower())) is not None:
        found["severity"] = severity
    for name, others in _ALIASES.items():
        if not found.get(name):
            found[name] = next((found[other] for other in others if found.get(other)), "")
    return {name: value for name, value in found.items() if value}


def spanned(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_ms: int | None,
    ended_ms: int | None,
    now_ms: int,
    source: str,
    url: str = "",
) -> Alert:
    """An alert that fires since `starts_ms`, until it is said to have ended; `ended_ms` says so."""
    ends_ms = now_ms + HELD_MS if ended_ms is None else min(ended_ms, now_ms)
    starts_ms = now_ms if starts_ms is None else starts_ms
    return Alert(
        labels=labels_of(labels),
        annotations=tuple(sorted((name, value) for name, value in annotations.items() if value)),
        starts_ms=starts_ms if ended_ms is None else min(starts_ms, ends_ms),
        ends_ms=ends_ms,
        updated_ms=now_ms,
        timeout=ended_ms is None,
        generator_url=url,
        source=source,
    )


def checked(found: Mapping[str, Alert], now_ms: int, missing: int = 0) -> Taken:
    """The alerts, by the key of each, parted into those that can be taken and the others."""
    alerts, refused = [], []
    for key, alert in found.items():
        fires = alert.ends_ms > now_ms
        wrong = (ahead(alert.starts_ms, now_ms) if fires else None) or problem(alert)
        if wrong is None:
            alerts.append(alert)
        else:
            refused.append(f"{key}: {wrong}")
    return Taken(tuple(alerts), tuple(refused), missing)
