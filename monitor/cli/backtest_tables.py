"""Outcomes of a backtest for people: first how often anyone is woken and what is found, then what fired."""

from collections.abc import Iterator
from typing import Any, TextIO

from monitor.backtest.diff import Change, Difference, differences
from monitor.backtest.outcome import Found, Outcome
from monitor.backtest.replay import Span, end_s
from monitor.cli.render import Format, render
from monitor.cli.slo_words import within
from monitor.clock import rfc3339
from monitor.slo.episodes import Episode
from monitor.slo.rule import Severity

__all__ = ["print_diff", "print_outcome"]

_CUT = "older base windows are gone (retention.1m): the backtest begins with the oldest that is held"


def print_outcome(found: Outcome, out: TextIO) -> None:
    """One set of rules."""
    out.write(f"{_span(found.span)}\n{_verdict(found)}\n")
    if found.found:
        out.write("\n")
        render([_incident(f) for f in found.found], Format.TABLE, out=out)
    out.write("\n")
    beside = {id(alert) for alert in found.beside}
    rows = [
        {**_alert(a, found.span), **({"": "no known incident"} if id(a) in beside else {})}
        for a in found.alerts
    ]
    if rows:
        render(rows, Format.TABLE, out=out)
    else:
        out.write("nothing would have fired\n")


def print_diff(old: Outcome, new: Outcome, out: TextIO) -> None:
    """Two sets side by side, and what each alert does under both."""
    out.write(f"{_span(old.span)}\n\n")
    render(list(_sides(old, new)), Format.TABLE, out=out)
    out.write("\n")
    if old.found:
        render([_both(f, g) for f, g in zip(old.found, new.found, strict=True)], Format.TABLE, out=out)
        out.write("\n")
    changes = [c for c in differences(old, new) if c.difference is not Difference.SAME]
    if changes:
        render([_change(c, old.span, new.span) for c in changes], Format.TABLE, out=out)
    else:
        out.write("the two sets would have fired alike\n")


def _span(span: Span) -> str:
    days = (span.to_s - span.from_s) / 86_400
    line = f"{_at(span.from_s)} to {_at(span.to_s)} UTC ({days:.3g} days)"
    return f"{line}; {_CUT}" if span.cut else line


def _verdict(found: Outcome) -> str:
    pages, tickets = found.of(Severity.PAGE), found.of(Severity.TICKET)
    line = (
        f"{len(pages)} pages ({found.per_week(Severity.PAGE):.3g} a week), "
        f"{len(tickets)} tickets ({found.per_week(Severity.TICKET):.3g} a week)"
    )
    if not found.found:
        return line
    after = "" if found.median_after_s is None else f", half of them within {within(found.median_after_s)}"
    beside = len(found.false_pages)
    pages_beside = "no page" if beside == 0 else "1 page" if beside == 1 else f"{beside} pages"
    incidents = f"{found.n_found} of {len(found.found)} incidents found{after}"
    return f"{line}; {incidents}; {pages_beside} beside any incident"


def _incident(found: Found) -> dict[str, Any]:
    incident = found.incident
    return {
        "incident": incident.name,
        "model": incident.model or "any",
        "began": _at(incident.from_s),
        "lasted": within(incident.to_s - incident.from_s),
        "found by": "missed" if found.by is None else f"{found.by.objective} ({found.by.severity})",
        "after": _after(found.after_s),
        "paged after": _after(found.page_after_s),
    }


def _after(after_s: int | None) -> str:
    return "-" if after_s is None else "fired already" if after_s == 0 else within(after_s)


def _alert(alert: Episode, span: Span) -> dict[str, Any]:
    return {
        "at": _at(alert.from_s),
        "for": within(end_s(alert, span) - alert.from_s) + ("" if alert.to_s is not None else ", and on"),
        "severity": str(alert.severity),
        "alert": alert.objective,
        "of": str(alert.subject),
        "rules": ", ".join(alert.rules),
    }


def _sides(old: Outcome, new: Outcome) -> Iterator[dict[str, Any]]:
    def row(what: str, left: Any, right: Any) -> dict[str, Any]:
        return {"": what, "old": left, "new": right}

    for severity, name in ((Severity.PAGE, "pages a week"), (Severity.TICKET, "tickets a week")):
        yield row(name, f"{old.per_week(severity):.3g}", f"{new.per_week(severity):.3g}")
    if not old.found:
        return
    yield row("incidents found", *(f"{one.n_found} of {len(one.found)}" for one in (old, new)))
    medians = ("-" if m is None else within(m) for m in (old.median_after_s, new.median_after_s))
    yield row("half of them within", *medians)
    yield row("pages beside any incident", str(len(old.false_pages)), str(len(new.false_pages)))


def _both(old: Found, new: Found) -> dict[str, Any]:
    return {
        "incident": old.incident.name,
        "model": old.incident.model or "any",
        "began": _at(old.incident.from_s),
        "old": _by(old),
        "new": _by(new),
    }


def _by(found: Found) -> str:
    if found.by is None:
        return "missed"
    return f"{found.by.objective} ({found.by.severity}) {_after(found.after_s)}"


def _change(change: Change, old: Span, new: Span) -> dict[str, Any]:
    some = change.old or change.new
    return {
        "difference": str(change.difference),
        "alert": "" if some is None else some.objective,
        "of": "" if some is None else str(some.subject),
        "old": _brief(change.old, old),
        "new": _brief(change.new, new),
    }


def _brief(alert: Episode | None, span: Span) -> str:
    if alert is None:
        return "-"
    return f"{alert.severity} {_at(alert.from_s)} for {within(end_s(alert, span) - alert.from_s)}"


def _at(at_s: int) -> str:
    return rfc3339(at_s * 1000)[:16].replace("T", " ")
