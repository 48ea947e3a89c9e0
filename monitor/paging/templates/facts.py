"""What templates may show of a message: plain values, each bounded, in words that need no further thought."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from monitor.paging.alert import Labels, Status
from monitor.paging.message import Message, Purpose, Told
from monitor.paging.templates.times import Told as _Time
from monitor.paging.templates.times import length, told_times
from monitor.paging.templates.wording import SUBJECT, alert_words, cut, headline, one_line

__all__ = ["KEYS", "MAX_LISTED", "facts"]

MAX_LISTED = 10
_MAX_LABELS = 50
_MAX_VALUE = 1_000
_MAX_TEXT = 2_000
_MAX_STEPS = 10
_KNOWN = ("budget_left", "burn", "version", "deployment", "runbook_steps", "time_zone")
_LINKS = ("acknowledge", "incident", "runbook", "dashboard", "traces", "silence")


KEYS = frozenset(
    {
        *("headline", "status", "severity", "purpose", "reason", "receiver", "repeat", "text", "incident"),
        *("group_labels", "labels", "annotations", "description", "since", "lasted", "ended", "firing"),
        *("resolved", "total", "alerts", "more", "counts", "budget_left", "burn", "version", "deployment"),
        *("runbook_steps", "links", "external_url", "context"),
    }
)


def facts(message: Message) -> dict[str, Any]:
    """All that a template can name: a value for each of KEYS, JSON values only; what isn't known is empty or
    None."""
    zone = str(message.context.get("time_zone") or "UTC")
    listed = _first(message)
    told = told_times(message, zone)
    total = len(message.alerts) + message.truncated
    common = dict(message.common_annotations)
    return {
        "headline": headline(message),
        "status": str(message.status),
        "severity": message.severity,
        "purpose": str(message.purpose),
        "reason": message.reason,
        "receiver": message.receiver,
        "repeat": message.doubtful,
        "text": cut(message.text.strip(), _MAX_TEXT),
        "incident": message.incident,
        "group_labels": _bounded(message.group_labels),
        "labels": _bounded(message.common_labels),
        "annotations": _bounded(message.common_annotations, _MAX_TEXT),
        "description": cut((common.get("description") or common.get("message") or "").strip(), _MAX_TEXT),
        "firing": len(message.firing) + message.truncated,
        "resolved": len(message.resolved),
        "total": total,
        "alerts": [_alert(alert, message, zone) for alert in listed],
        "more": total - len(listed),
        "counts": _counts(message) if total > len(listed) else [],
        "links": _links(message),
        "external_url": message.external_url,
        "context": {key: value for key, value in message.context.items() if key not in _KNOWN},
        **_times(told),
        **_surroundings(message, zone),
    }


def _times(told: _Time | None) -> dict[str, str]:
    """Since when, for how long, and when it ended, of the group as a whole."""
    if told is None:
        return {"since": "", "lasted": "", "ended": ""}
    return {"since": told.since, "lasted": told.lasted, "ended": told.ended}


def _first(message: Message) -> Sequence[Told]:
    """What fires comes first, for a reader may get no further."""
    ordered = sorted(message.alerts, key=lambda told: told.status is not Status.FIRING)
    return ordered[:MAX_LISTED]


def _alert(told: Told, message: Message, zone: str) -> dict[str, Any]:
    alert = told.alert
    annotations = dict(alert.annotations)
    common = dict(message.common_labels)
    when = told_times(message, zone, (told,))
    summary = one_line(annotations.get("summary") or "", 300)
    # Its name holds some of its labels already.
    said = () if summary else ("alertname", *SUBJECT)
    own = [(n, v) for n, v in alert.labels if common.get(n) != v and n not in said]
    return {
        "status": str(told.status),
        "name": alert_words(alert),
        "summary": summary,
        "description": cut((annotations.get("description") or "").strip(), 500),
        "labels": _bounded(alert.labels),
        "own_labels": _bounded(tuple(own)),
        "annotations": _bounded(alert.annotations, _MAX_VALUE),
        **_times(when),
        "url": _web(alert.generator_url),
    }


def _counts(message: Message) -> list[dict[str, Any]]:
    """How many fire of each model, and of them by severity, the most first; of those that ended if none
    fires."""
    models: dict[str, Counter[str]] = {}
    for told in message.firing or message.resolved:
        labels = dict(told.alert.labels)
        models.setdefault(labels.get("model", ""), Counter())[labels.get("severity", "")] += 1
    ordered = sorted(models.items(), key=lambda entry: (-entry[1].total(), entry[0]))
    return [
        {
            "model": cut(model, 100),
            "count": found.total(),
            "severities": ", ".join(f"{n} {cut(s, 40)}" for s, n in found.most_common(5) if s),
        }
        for model, found in ordered[:20]
    ]


def _surroundings(message: Message, zone: str) -> dict[str, Any]:
    """What the context knows of budget, burn, version and deployment; None where it lacks it."""
    context = message.context
    steps = context.get("runbook_steps") or ()
    steps = steps.splitlines() if isinstance(steps, str) else steps
    return {
        "budget_left": _percent(context.get("budget_left")),
        "burn": _number(context.get("burn")),
        "version": _text(context.get("version")),
        "deployment": _deployment(context.get("deployment"), message, zone),
        "runbook_steps": [cut(str(step).rstrip(), 500) for step in list(steps)[:_MAX_STEPS]],
    }


def _percent(value: Any) -> str | None:
    """A share is kept as 0.31; people read 31 %."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(value)
    return f"{value * 100:.3g} %"


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(value)
    return f"{value:.3g}"


def _text(value: Any) -> str | None:
    return None if value in (None, "") else one_line(str(value), 300)


def _deployment(value: Any, message: Message, zone: str) -> str | None:
    """`12 at 2026-11-23 13:50 UTC, 13 min before` of {version, at_ms}; a text as it is."""
    if not isinstance(value, Mapping):
        return _text(value)
    version, at_ms = _text(value.get("version")), value.get("at_ms")
    if not isinstance(at_ms, int) or isinstance(at_ms, bool):
        return version
    starts = [told.alert.starts_ms for told in message.alerts] or [message.at_ms]
    when = told_times(message, zone, (), at_ms)
    ahead_ms = min(starts) - at_ms
    before = f", {length(ahead_ms)} before" if ahead_ms >= 0 else ""
    return f"{version or 'a version'} at {when.since}{before}" if when is not None else version


def _links(message: Message) -> dict[str, str]:
    given = {name: _web(url) for name, url in asdict(message.links).items()}
    annotations = dict(message.common_annotations)
    for name in ("runbook", "dashboard", "traces", "silence"):
        said = (annotations.get(f"{name}_url", ""), annotations.get(name, ""))
        given[name] = given[name] or next(filter(None, map(_web, said)), "")
    if message.purpose is Purpose.TEST or message.status is Status.RESOLVED:
        given["acknowledge"] = given["silence"] = ""
    return {name: given[name] for name in _LINKS if given[name]}


def _web(url: str) -> str:
    """A link as it is, unless it is none that a browser should be led to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc and len(url) <= 4_000 else ""


def _bounded(labels: Labels, most: int = _MAX_VALUE) -> dict[str, str]:
    found = {cut(name, 200): cut(value, most) for name, value in labels[:_MAX_LABELS]}
    if len(labels) > _MAX_LABELS:
        found["…"] = f"{len(labels) - _MAX_LABELS} more"
    return found
