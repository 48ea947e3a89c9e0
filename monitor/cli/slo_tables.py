"""What `monitor slo list|show|budget` print for people, from the rows that programs get as JSON."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monitor.cli import slo_words as words
from monitor.cli.render import render
from monitor.slo.rule import Severity
from monitor.slo.standing import Phase
from monitor.slo.state import State

__all__ = ["as_of", "budget_table", "health_table", "list_table", "print_one"]

Row = Mapping[str, Any]
# Where a whole period has this much more of its budget left than what there is of it, people are told.
_WORTH_SAYING = 0.01
_FIRES = tuple(phase for phase in Phase if phase.fires)
_SAID = {
    State.PAGE: "paging",
    State.SPENT: "out of budget",
    State.FREEZE: "low enough on budget to freeze deployments",
    State.TICKET: "with a ticket",
    State.PENDING: "pending",
    State.LOW: "low on budget",
    State.OK: "ok",
    State.NO_DATA: "without data",
}


def as_of(rows: Sequence[Row], behind_s: float | None) -> str:
    """The sentence above a table: how many are how, and for when that holds."""
    counts = Counter(row["state"] for row in rows)
    said = ", ".join(f"{counts[state]} {_SAID[state]}" for state in State if counts[state])
    of = f"{len(rows)} objective{'s' if len(rows) != 1 else ''}"
    when = f"as of {words.moment(rows[0]['as_of'])} UTC"
    if behind_s is not None:
        when += f", {words.within(behind_s)} ago: nothing newer is evaluated in this store"
    return f"{of}: {said} ({when})"


def list_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A line for each objective and part of a model, short enough to be read at a glance."""
    parts, left_out = any(map(words.part, rows)), any(row["excluded"] for row in rows)
    return [
        {
            "state": row["state"],
            "model": row["model"],
            **({"of": words.part(row)} if parts else {}),
            "objective": row["objective"],
            "target": f"{words.target(row['target'])} {row['period']}",
            "kept": words.compliance(row["compliance"], row["target"]),
            "left": words.left(row["budget_left"]),
            "ends in": _ends(row),
            "burn": _fastest(row),
            **({"excluded": _left_out(row)} if left_out else {}),
            "alert": _alerting(row),
        }
        for row in rows
    ]


def budget_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How much of each budget is spent, and how fast, over every window that an alert looks at."""
    parts, left_out = any(map(words.part, rows)), any(row["excluded"] for row in rows)
    return [
        {
            "model": row["model"],
            **({"of": words.part(row)} if parts else {}),
            "objective": row["objective"],
            "period": row["period"],
            "bad": words.events(row["bad"]) if row["total"] else None,
            "allowed": words.events(_allowed(row)) if row["total"] else None,
            "left": words.left(row["budget_left"]),
            "ends in": _ends(row),
            **({"excluded": _left_out(row)} if left_out else {}),
            "burn over each window": _burn(row),
        }
        for row in rows
    ]


def health_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A line for each model; `score` is the weighted mean of the budgets left."""
    left_out = any(row["excluded"] for row in rows)
    return [
        {
            "model": row["model"],
            "state": row["state"],
            "score": words.left(row["score"]),
            "worst": row["worst"],
            "objectives": ", ".join(f"{n} {state}" for state, n in row["objectives"].items()),
            **({"excluded": ", ".join(e["reason"] for e in row["excluded"]) or None} if left_out else {}),
        }
        for row in rows
    ]


def _left_out(row: Row) -> str | None:
    """How much of the period is excluded."""
    return words.within(sum(e["seconds"] for e in row["excluded"])) if row["excluded"] else None


def _allowed(row: Row) -> float:
    """The bad events that the budget bears, of those so far."""
    return float((1 - row["target"]) * row["total"])


def _burn(row: Row) -> str | None:
    """Windows differ with the period, so each names its own."""
    over = (f"{words.length(b['window_s'])} {words.burn_rate(b['burn']) or '-'}" for b in row["burn"])
    return " | ".join(over) if any(b["burn"] is not None for b in row["burn"]) else row["why"]


def _fastest(row: Row) -> str | None:
    known = [b for b in row["burn"] if b["burn"] is not None]
    if not known:
        return None
    worst = max(known, key=lambda b: (b["burn"], b["window_s"]))
    return (
        f"{words.burn_rate(worst['burn'])}x over {words.length(worst['window_s'])}" if worst["burn"] else "0"
    )


def _ends(row: Row) -> str | None:
    if row["budget_left"] is not None and row["budget_left"] <= 0:
        return "spent"
    if row["exhausted_at"] is None:
        return None
    return words.within(words.seconds_between(row["as_of"], row["exhausted_at"]))


def _alerting(row: Row) -> str | None:
    """The most urgent alert, and of those the one that has fired for the longest; without any, why there is
    no figure."""
    if not row["alerts"]:
        return None if row["why"] is None else str(row["why"])
    urgency = list(Severity)
    first = min(
        row["alerts"], key=lambda a: (a["phase"] not in _FIRES, urgency.index(a["severity"]), a["since"])
    )
    others = f" and {len(row['alerts']) - 1} more" if len(row["alerts"]) > 1 else ""
    for_s = words.seconds_between(first["since"], first["as_of"])
    return f"{first['rule']} {first['phase']} {words.within(for_s)}{others}"


def print_one(row: Row, transitions: Sequence[Row]) -> None:
    """Everything about one objective of one part of a model."""
    name = " ".join(filter(None, (row["model"], words.part(row))))
    print(f"{name}: {row['objective']} is {_SAID[row['state']]}{_what_fires(row)}")
    width = max(len(label) for label, _ in _facts(row))
    for label, text in _facts(row):
        print(f"  {label:<{width}}  {text}")
    if row["burn"]:
        print()
        render(list(map(_burning, row["burn"])))
    if row["excluded"]:
        print()
        render(list(map(_excluded, row["excluded"])))
    if row["alerts"]:
        print()
        render(list(map(_alert, row["alerts"])))
    if transitions:
        print("\nwhat its alerts did, the newest first:")
        render(list(map(_transition, transitions)))


def _what_fires(row: Row) -> str:
    firing = [a for a in row["alerts"] if a["phase"] in _FIRES]
    return "".join(f"; {a['rule']} ({a['severity']}) {a['phase']}" for a in firing)


def _facts(row: Row) -> list[tuple[str, str]]:
    return list(_facts_of(row))


def _facts_of(row: Row) -> Iterator[tuple[str, str]]:
    if row["description"]:
        yield "meaning", row["description"]
    yield "target", f"{words.target(row['target'])} of {row['indicator']}"
    yield "period", f"{row['period']}: {words.span(row['from'], row['to'])}"
    yield "as of", f"{words.moment(row['as_of'])} UTC"
    if row["owner"]:
        yield "owner", row["owner"]
    if row["compliance"] is None:
        yield "kept", row["why"] or "nothing was counted"
    else:
        kept = words.compliance(row["compliance"], row["target"])
        yield "kept", f"{kept}: {words.events(row['bad'])} bad of {words.events(row['total'])}"
        spent = f"{words.events(row['bad'])} of {words.events(_allowed(row))} bad that it bears"
        yield "budget", f"{words.left(row['budget_left'])} left: {spent}"
    ends = _ends(row)
    if ends not in (None, "spent"):
        yield "ends", f"in {ends}, at {words.moment(row['exhausted_at'])}, if it goes on like that"
    if row["missing"] > 0:
        yield "history", f"{row['missing'] * 100:.0f} % of the period is before the first event"
    due = [f"{p['name']} ({p['action']})" for p in row["policies"] if p["due"]]
    if due:
        yield "policy", f"due: {', '.join(due)}"
    whole = row["budget_left_of_whole"]
    if row["policies"] and whole is not None and whole - row["budget_left"] >= _WORTH_SAYING:
        yield "policies", f"go by a whole period's budget, of which {words.left(whole)} is left"


def _burning(burning: Row) -> dict[str, Any]:
    return {
        "window": words.length(burning["window_s"]),
        "burn": words.burn_rate(burning["burn"]),
        "bad": words.events(burning["bad"]),
        "events": words.events(burning["total"]),
        "history": f"{burning['coverage'] * 100:.0f} %",
        "with events": f"{burning['seen'] * 100:.0f} %",
    }


def _excluded(excluded: Row) -> dict[str, Any]:
    return {
        "excluded": words.span(excluded["from"], excluded["to"]),
        "took out": f"{words.events(excluded['bad'])} bad of {words.events(excluded['total'])}",
        "by": excluded["author"],
        "why": excluded["reason"],
    }


def _alert(alert: Row) -> dict[str, Any]:
    return {
        "rule": alert["rule"],
        "severity": alert["severity"],
        "phase": alert["phase"],
        "since": words.moment(alert["since"]),
        "why": alert["why"],
    }


def _transition(transition: Row) -> dict[str, Any]:
    return {
        "at": words.moment(transition["at"]),
        "rule": transition["rule"],
        "severity": transition["severity"],
        "went": f"{transition['before']} > {transition['after']}",
        "why": transition["why"],
    }
