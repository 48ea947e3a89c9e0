"""`monitor backtest`: what alert rules would have done over the history that is stored, or a raw log."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from monitor.backtest.diff import differences
from monitor.backtest.incidents import Incident, read_incidents
from monitor.backtest.outcome import Outcome, outcome
from monitor.backtest.raw_log import read_log
from monitor.backtest.replay import fired, held_span, transitions_over
from monitor.backtest.shown import shown, shown_change
from monitor.cli.backtest_tables import print_diff, print_outcome
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.config import Config
from monitor.errors import ConfigError
from monitor.sli.times import parse_step_s, parse_time_ms
from monitor.slo.settings import SloSettings, from_config
from monitor.store import Store

__all__ = ["backtest"]


def backtest(
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="From when on: 30d (before the newest record) or a time."
        ),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to when.")] = None,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="FILE", help="Another configuration: what would its rules change?"),
    ] = None,
    incidents: Annotated[
        Path | None,
        typer.Option("--incidents", metavar="FILE", help="What is known to have gone wrong, YAML."),
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", metavar="FILE", help="A raw log to read in place of the store; several times."),
    ] = None,
    log_labels: Annotated[
        list[Path] | None,
        typer.Option("--log-labels", metavar="FILE", help="Labels beside the raw log; several times."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="This model only.")] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Run alert rules over the stored history: what would have fired, when, for how long, how soon after each
    known incident began, and how many pages a week that is. With --rules: two sets of rules side by side."""
    now_ms = WallClock().now_ms()
    settings = configured(config, store)
    known = [] if incidents is None else read_incidents(incidents, now_ms)
    sets = [from_config(settings)] + ([] if rules is None else [from_config(configured(rules))])
    if log_labels and not log:
        raise ConfigError(["--log-labels: needs --log; the labels of a store are in it"])
    with _opened(settings, log or [], log_labels or []) as opened:
        outcomes = [_outcome(opened, one, known, (since, until), model, now_ms) for one in sets]
    if format is not Format.TABLE:
        _print_rows(outcomes, format)
    elif rules is None:
        print_outcome(outcomes[0], sys.stdout)
    else:
        print_diff(outcomes[0], outcomes[1], sys.stdout)


@contextmanager
def _opened(config: Config, logs: Sequence[Path], labels: Sequence[Path]) -> Iterator[Store]:
    if logs:
        with read_log(config, logs, labels) as found:
            yield found
        return
    opened = Store.open(config.store)
    try:
        yield opened
    finally:
        opened.close()


def _outcome(
    store: Store,
    settings: SloSettings,
    incidents: Sequence[Incident],
    asked: tuple[str | None, str | None],
    model: str | None,
    now_ms: int,
) -> Outcome:
    base_s = settings.bases.service_s
    since, until = asked
    whole = held_span(store, None, None, base_s)
    to_s = None if until is None else parse_time_ms("--until", until, now_ms) // 1000
    from_s = None if since is None else _since_s(since, whole.to_s if to_s is None else to_s, now_ms)
    span = held_span(store, from_s, to_s, base_s)
    about = [i for i in incidents if model is None or i.model in (None, model)]
    return outcome(span, fired(transitions_over(store, settings, span, model)), about)


def _since_s(text: str, end_s: int, now_ms: int) -> int:
    """A duration is counted back from the end of the history: a log may be years old."""
    if text[-1:].isalpha() and text[:1].isdigit() and "T" not in text:
        return end_s - parse_step_s("--since", text)
    return parse_time_ms("--since", text, now_ms) // 1000


def _print_rows(outcomes: Sequence[Outcome], format: Format) -> None:
    if format is Format.CSV:
        render([alert for one in outcomes for alert in shown(one)["alerts"]], format)
        return
    body = shown(outcomes[0])
    if len(outcomes) > 1:
        body = {"old": body, "new": shown(outcomes[1])}
        body["changes"] = [
            shown_change(c, outcomes[0].span, outcomes[1].span) for c in differences(*outcomes)
        ]
    json.dump(body, sys.stdout, indent=2)
    sys.stdout.write("\n")
