"""`monitor backtest`: what alert rules would have done over the history that is stored, or a raw log."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from monitor.backtest.caveats import of_log, of_store
from monitor.backtest.diff import differences
from monitor.backtest.incidents import Incident, read_incidents
from monitor.backtest.outcome import Outcome, outcome
from monitor.backtest.raw_log import replay_log
from monitor.backtest.replay import Span, fired, held_span, transitions_over, within
from monitor.backtest.retraining import retraining_over
from monitor.backtest.rule_sets import with_rules
from monitor.backtest.shown import shown, shown_change
from monitor.cli.backtest_retraining import print_retraining
from monitor.cli.backtest_tables import print_diff, print_outcome
from monitor.cli.options import ConfigOption, FormatOption, StoreOption, configured
from monitor.cli.render import Format, render
from monitor.clock import WallClock
from monitor.config import Config
from monitor.errors import ConfigError
from monitor.retraining.settings import policies
from monitor.sli.times import parse_step_s, parse_time_ms
from monitor.slo.settings import from_config
from monitor.store import Store

__all__ = ["backtest"]

_DURATION = re.compile(r"[0-9]+(ms|s|m|h|d|w)")


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
        typer.Option("--rules", metavar="FILE", help="A file with other objectives: what would they change?"),
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
    known incident began, and how many pages a week that is, and when policies of retraining would have asked.
    With --rules: two sets of rules side by side."""
    now_ms = WallClock().now_ms()
    asked = _Asked(since, until, model, now_ms)
    settings = configured(config, store)
    known = [] if incidents is None else read_incidents(incidents, now_ms)
    about = [i for i in known if model is None or i.model in (None, model)]
    configs = [settings] if rules is None else [settings, with_rules(settings, rules)]
    if log_labels and not log:
        raise ConfigError(["--log-labels: needs --log; the labels of a store are in it"])
    outcomes = (
        _of_log(configs, log, log_labels or [], about, asked) if log else _of_store(configs, about, asked)
    )
    if format is not Format.TABLE:
        _print_rows(outcomes, format)
    elif rules is None:
        print_outcome(outcomes[0], sys.stdout)
        print_retraining(outcomes[0].retraining, sys.stdout)
    else:
        print_diff(outcomes[0], outcomes[1], sys.stdout)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which part of the history, and of which model."""

    since: str | None
    until: str | None
    model: str | None
    now_ms: int

    def bounds(self, whole: Span) -> tuple[int | None, int | None]:
        """[from_s, to_s) of it as asked for; None for where the history begins or ends. A duration is counted
        back from the end: a log may be years old. Raises QueryError for what is no time."""
        to_s = None if self.until is None else parse_time_ms("--until", self.until, self.now_ms) // 1000
        text = self.since
        if text is None:
            return None, to_s
        if _DURATION.fullmatch(text):
            return (whole.to_s if to_s is None else to_s) - parse_step_s("--since", text), to_s
        return parse_time_ms("--since", text, self.now_ms) // 1000, to_s


def _of_store(configs: Sequence[Config], incidents: Sequence[Incident], asked: _Asked) -> list[Outcome]:
    """Every set of rules over what the store holds."""
    store = Store.open(configs[0].store)
    try:
        base_s = configs[0].windows.service_s
        span = held_span(store, *asked.bounds(held_span(store, None, None, base_s)), base_s)
        found = []
        for config in configs:
            settings = from_config(config)
            caveats = of_store(store, settings, span, asked.model)
            alerts = fired(transitions_over(store, settings, span, asked.model), span)
            retraining = retraining_over(store, policies(config), config.windows, span, asked.model)
            one = outcome(span, alerts, incidents, caveats)
            found.append(replace(one, retraining=tuple(retraining)))
        return found
    finally:
        store.close()


def _of_log(
    configs: Sequence[Config],
    logs: Sequence[Path],
    labels: Sequence[Path],
    incidents: Sequence[Incident],
    asked: _Asked,
) -> list[Outcome]:
    """Every set of rules over raw logs, which are read whole: what fires at the begin began before."""
    whole, sets = replay_log(configs, logs, labels, asked.model)
    from_s, to_s = asked.bounds(whole)
    span = within(whole, from_s, to_s)
    return [
        outcome(span, fired(did, span), incidents, of_log(from_config(config), asked.model))
        for config, did in zip(configs, sets, strict=True)
    ]


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
