"""One line that says what is the matter."""

import re

from monitor.paging.alert import Alert, Status
from monitor.paging.message import Message, Purpose

__all__ = ["SUBJECT", "alert_summary", "alert_words", "cut", "headline", "one_line"]

_TITLE = 200
SUBJECT = ("model", "version", "endpoint", "objective")


def cut(text: str, most: int) -> str:
    """The text, or its beginning with a note of how much there was."""
    if len(text) <= most:
        return text
    note = f" … (cut; {len(text):,} characters)"
    return text[: max(0, most - len(note))].rstrip() + note


def one_line(text: str, most: int) -> str:
    """The text without line ends, and cut."""
    line = re.sub(r"\s+", " ", text[: most * 4]).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def headline(message: Message) -> str:
    """What is the matter, in one line: its kind, how bad, and what."""
    what = _what(message)
    repeat = "(repeat) " if message.doubtful else ""
    return one_line(f"{repeat}{_kind(message)}{what}", _TITLE)


def _kind(message: Message) -> str:
    match message.purpose:
        case Purpose.TEST | Purpose.DIGEST | Purpose.BUDGET | Purpose.NOTE | Purpose.HEARTBEAT:
            return ""
    if message.status is Status.RESOLVED:
        return "[RESOLVED] "
    said = message.severity.upper() if message.severity else "ALERT"
    how = {Purpose.ESCALATION: "ESCALATED ", Purpose.FALLBACK: "FALLBACK "}.get(message.purpose, "")
    return f"[{how}{said}] "


def _what(message: Message) -> str:
    match message.purpose:
        case Purpose.TEST:
            return f"Test page for {message.receiver}: nothing is wrong"
        case Purpose.HEARTBEAT:
            return "monitor's pager is alive"
        case Purpose.DIGEST | Purpose.BUDGET | Purpose.NOTE if message.text.strip():
            return message.text.strip().splitlines()[0]
    return _alerts(message)


def _alerts(message: Message) -> str:
    shown = message.firing or message.resolved
    if not shown:
        return one_line(message.text, _TITLE) or "no alert"
    count = len(shown) + message.truncated
    if count == 1:
        return alert_summary(shown[0].alert)
    labels, annotations = dict(message.common_labels), dict(message.common_annotations)
    common = annotations.get("summary") or " ".join(
        filter(None, (labels.get("alertname", ""), *(_about(labels, message))))
    )
    return f"{common} ({count} alerts)" if common else f"{count} alerts"


def _about(labels: dict[str, str], message: Message) -> list[str]:
    """What the alerts are about: the labels that people know, else those of the group."""
    known = [labels[name] for name in SUBJECT if labels.get(name)]
    return known or [value for name, value in message.group_labels if name != "alertname"]


def alert_summary(alert: Alert) -> str:
    """Its summary, else its name and what it is about."""
    return dict(alert.annotations).get("summary") or alert_words(alert)


def alert_words(alert: Alert) -> str:
    """`AvailabilityBudgetBurn fraud 2026.11`."""
    labels = dict(alert.labels)
    words = [labels.get("alertname", "")] + [labels.get(name, "") for name in SUBJECT]
    said = " ".join(word for word in words if word)
    return one_line(said or ", ".join(f"{n}={v}" for n, v in alert.labels[:6]) or "an alert", 300)
