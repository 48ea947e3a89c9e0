"""A card as Markdown. Pure: the same card gives the same text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["markdown"]


def markdown(card: Mapping[str, Any]) -> str:
    """The card as a page."""
    sections = (
        ("Lineage", _lineage(card)),
        ("Baselines", _baselines(card["baselines"])),
        ("Objectives", _objectives(card["objectives"])),
        ("Quality", _quality(card)),
        ("Drift", _drift(card["drift"])),
        ("Incidents", _incidents(card["incidents"])),
        ("Costs", _costs(card["costs"], card["incidents"]["days"])),
        ("Open gaps", _gaps(card["missing"])),
    )
    lines = list(_head(card))
    for title, body in sections:
        lines += ["", f"## {title}", "", *body]
    return "\n".join([*lines, ""])


def _head(card: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {_inline(card['model'])}"
    yield ""
    yield f"Model card at {card['at']}."
    yield ""
    for name in ("purpose", "limits", "owner", "contact", "runbook"):
        yield f"- {name.capitalize()}: {_or(card[name], '_not said_')}"
    live = [f"version {_inline(v['version'])}{_share(v['share'])}" for v in card["production"]]
    yield f"- In production: {', '.join(live) or '_no deployment is known_'}"
    seen = [f"{_inline(v['version'])} since {v['since']}" for v in card["logged"]]
    yield f"- Versions in the logs: {', '.join(seen) or '_none_'}"


def _share(share: float | None) -> str:
    return (
        " with a share of the rest"
        if share is None
        else ""
        if share == 1
        else f" with {share:.3g} of traffic"
    )


def _lineage(card: Mapping[str, Any]) -> Iterator[str]:
    if not card["versions"]:
        yield "No run, registry or deployment told of it."
    for i, version in enumerate(card["versions"]):
        if i:
            yield ""
        yield f"### Version {_inline(version['version'])}"
        yield ""
        yield from _run(version["run"])
        for said in version["registered"]:
            where = f"{_inline(said['registry'])} has it in {_inline(said['stage'])}"
            yield f"- Registry: {where} since {said['at']}"
        for deployed in version["deployments"]:
            yield f"- Deployment: {_deployed(deployed)}"
    if card["older_versions"]:
        yield ""
        yield f"{card['older_versions']} older versions are left out."


def _run(run: Mapping[str, Any] | None) -> Iterator[str]:
    if run is None:
        yield "- Training run: _not known_"
        return
    until = f", until {run['data_until']}" if run["data_until"] else ""
    yield f"- Data: {_or(run['data_version'], '_version not said_')}{until}"
    log = f", log {_inline(run['log_url'])}" if run["log_url"] else ""
    cost = f", cost {run['cost']:g} {run['currency']}" if run["cost"] is not None else ""
    yield f"- Training run: {_inline(run['id'])} {run['status']} at {run['at']}{cost}{log}"
    metrics = [f"{_inline(name)} {_number(value)}" for name, value in run["metrics"].items()]
    if metrics:
        yield f"- Metrics of the run: {', '.join(metrics)}"


def _deployed(deployed: Mapping[str, Any]) -> str:
    share = deployed["traffic_share"]
    words = [f"{deployed['status']} in {_inline(deployed['stage'])} at {deployed['at']}"]
    words += [] if share is None else [f"{share:.3g} of traffic"]
    named = (("commit", "commit"), ("by", "by"), ("artifact_digest", "artifact"), ("url", "see"))
    words += [f"{word} {_inline(deployed[name])}" for name, word in named if deployed[name]]
    approver = deployed["approver"]
    return ", ".join([*words, f"approved by {_inline(approver)}" if approver else "no approver"])


def _baselines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "None was activated."
    for row in rows:
        of = "all versions" if row["version"] is None else f"version {_inline(row['version'])}"
        source = f" from {_inline(row['source'])}" if row["source"] else ""
        yield (
            f"- Number {row['number']} for {of} since {row['since']}: {row['features']} features, "
            f"by {_inline(row['author'])}{source}"
        )


def _objectives(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if not rows:
        return ["None."]
    return _table(
        ("objective", "of", "is", "target", "reached", "budget left", "state"),
        (
            (
                row["objective"],
                _subject(row),
                row["indicator"],
                f"{row['target']:.6g}",
                _number(row["compliance"]),
                _percent(row["budget_left"]),
                row["state"],
            )
            for row in rows
        ),
    )


def _subject(row: Mapping[str, Any]) -> str:
    named = [f"{name} {row[name]}" for name in ("version", "endpoint") if row[name] is not None]
    return " ".join([*named, *(f"{label} {value}" for label, value in row["segment"].items())]) or "all"


def _quality(card: Mapping[str, Any]) -> Iterator[str]:
    days = card["incidents"]["days"]
    if card["quality"]:
        yield f"Of the predictions of {days} days, with 95 % intervals."
        yield ""
        yield from _table(
            ("version", "metric", "value", "from", "to", "labelled", "share of predictions"),
            (
                (
                    row["version"] or "",
                    row["metric"],
                    *(_number(row[name]) for name in ("value", "low", "high")),
                    f"{row['count']:,}",
                    _percent(row["label_coverage"]),
                )
                for row in card["quality"]
            ),
        )
    else:
        yield f"Not known: no label of the last {days} days is stored."
    if card["groups"] is not None:
        yield ""
        yield from _groups(card["groups"])


def _groups(groups: Mapping[str, Any]) -> Iterator[str]:
    by = _inline(groups["by"])
    if groups["why"] is not None:
        yield f"By {by}: not known: {_inline(groups['why'])}."
        return
    yield f"By {by}:"
    yield ""
    rates = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
    rows = ((g["group"], *(_between(g[rate]) for rate in rates)) for g in groups["groups"])
    yield from _table((groups["by"], *(rate.replace("_", " ") for rate in rates)), rows)
    if groups["hidden"]:
        yield ""
        yield f"Too small to show: {', '.join(map(_inline, groups['hidden']))}."


def _between(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "not known"
    return f"{_number(found['value'])} ({_number(found['low'])} to {_number(found['high'])})"


def _drift(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "No features in the hour before."
    for row in rows:
        features = f"; drifted: {', '.join(map(_inline, row['features']))}" if row["features"] else ""
        span = f"{row['from']} to {row['to']}"
        yield f"- Version {_inline(row['version'] or '')}, {span}: {row['verdict']}{features}"


def _incidents(found: Mapping[str, Any]) -> Iterator[str]:
    rows = found["incidents"]
    if not rows:
        yield f"None in {found['days']} days."
        return
    acknowledged, resolved = (
        _lasted(found[f"mean_seconds_to_{done}"]) for done in ("acknowledge", "resolve")
    )
    times = f"mean time to acknowledge {acknowledged}, to resolve {resolved}"
    yield f"{len(rows)} in {found['days']} days; {times}."
    yield ""
    names = ("id", "opened", "resolved", "severity", "title")
    yield from _table(names, ((_or(row[name], "open") for name in names) for row in rows))


def _costs(rows: Sequence[Mapping[str, Any]], days: int) -> Iterator[str]:
    if not rows:
        yield f"None is known of {days} days."
    for row in rows:
        yield f"- {row['what'].capitalize()}: {row['amount']:,.2f} {row['currency']} in {days} days"


def _gaps(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "None."
    for row in rows:
        yield f"- {row['part']}: {_inline(row['why'])}"


def _table(names: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_cell, names))} |"
    yield f"| {' | '.join('---' for _ in names)} |"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.3g} %"


def _lasted(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _or(value: Any, otherwise: str) -> str:
    return otherwise if value in (None, "") else _inline(value)


def _inline(value: Any) -> str:
    """On one line, and no HTML: what logs and events say is anybody's."""
    return " ".join(str(value).split()).replace("<", "&lt;")


def _cell(value: Any) -> str:
    return _inline(value).replace("|", "\\|")
