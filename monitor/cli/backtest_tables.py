"""Outcomes of a backtest for people: first how often anyone is woken and what is found, then what fired."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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

# As many tickets as are told one by one.
_FEW = 10


def print_outcome(found: Outcome, out: TextIO) -> None:
    """One set of rules."""
    out.write(f"{_span(found.span)}\n{_verdict(found)}\n")
    if found.found:
        out.write("\n")
        render([_incident(f) for f in found.found], Format.TABLE, out=out)
    if not found.alerts:
        out.write("\nnothing would have fired\n")
    pages = found.of(Severity.PAGE)
    rest = [a for a in found.alerts if a.severity is not Severity.PAGE]
    each = [*pages, *rest] if len(rest) <= _FEW else pages
    if each:
        out.write("\n")
        render([_row(a, found) for a in each], Format.TABLE, out=out)
    if len(rest) > _FEW:
        out.write("\n")
        render(list(_summed(rest, found)), Format.TABLE, out=out)
        out.write("\nEach of them, and when: --format csv\n")
    _print_caveats(found.caveats, out)


def _summed(alerts: Sequence[Episode], found: Outcome) -> Iterator[dict[str, Any]]:
    """Alerts that nobody is woken for, those together that are of one kind; the most frequent first."""
    alike: defaultdict[tuple[str, str, str, bool], list[Episode]] = defaultdict(list)
    for a in alerts:
        alike[str(a.severity), a.objective, str(a.subject), a.of_budget].append(a)
    beside = {id(alert) for alert in found.beside}
    for (severity, objective, subject, of_budget), some in sorted(alike.items(), key=lambda e: -len(e[1])):
        fired_s = sum(min(end_s(a, found.span), found.span.to_s) - a.from_s for a in some)
        row: dict[str, Any] = {
            "times": len(some),
            "for in all": within(fired_s),
            "severity": severity,
            "alert": objective,
            "of": subject,
            "rules": ", ".join(dict.fromkeys(rule for a in some for rule in a.rules)),
            "last": _at(some[-1].from_s),
        }
        if found.found:
            row["beside incidents"] = None if of_budget else sum(id(a) in beside for a in some)
        yield row


def _row(alert: Episode, found: Outcome) -> dict[str, Any]:
    row = _alert(alert, found.span)
    return {**row, "incident": _about(alert, found)} if found.found else row


def _about(alert: Episode, found: Outcome) -> str | None:
    """The incidents that the alert began for, else those that it was there for; None for a budget's."""
    if alert.of_budget:
        return None
    about = found.about(alert)
    news = [i.name for i in about if alert.from_s > i.from_s]
    return ", ".join(news) or ", ".join(f"({i.name})" for i in about) or "none known"


def _print_caveats(caveats: Iterable[str], out: TextIO) -> None:
    lines = list(dict.fromkeys(caveats))
    if lines:
        out.write("\nBear in mind:\n")
    for line in lines:
        out.write(f"  {line}\n")


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
    _print_caveats((*old.caveats, *new.caveats), out)


def _span(span: Span) -> str:
    days = (span.to_s - span.from_s) / 86_400
    return f"{_at(span.from_s)} to {_at(span.to_s)} UTC ({days:.3g} days)"


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
