"""`monitor slo alerts`: what fires now, and what has fired."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from monitor.cli import slo_words as words
from monitor.cli.options import ConfigOption, FormatOption, StoreOption
from monitor.cli.render import Format, render
from monitor.cli.slo_options import ModelOption, asking
from monitor.clock import WallClock, rfc3339
from monitor.sli.times import parse_time_ms
from monitor.slo.alert_question import AlertQuestion
from monitor.slo.episodes import Episode, episodes
from monitor.slo.shown import shown_alert, shown_transition
from monitor.slo.standing import AlertState

__all__ = ["alerts"]

_NEVER = "nothing has been evaluated in this store yet: `monitor run` does, while it reads the stream"


def alerts(
    model: ModelOption = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every change of phase, with its reason and its figures.")
    ] = False,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="What happened from then on; now-1d, ..")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="What happened up to then.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The newest so many.")] = 50,
    config: ConfigOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the alerts that are pending or firing now and, in the table, those that fired before."""
    now_ms = WallClock().now_ms()
    question = AlertQuestion(
        model=model,
        from_ms=None if begin is None else parse_time_ms("--from", begin, now_ms),
        to_ms=None if end is None else parse_time_ms("--to", end, now_ms),
        limit=limit if history else None,
    )
    with asking(config, store) as ask:
        states, at_s, behind_s = ask.alerts(question), ask.evaluated_s(), ask.behind_s(now_ms)
        kept = ask.transitions(question)
    if format is not Format.TABLE:
        render(list(map(shown_transition, kept)) if history else list(map(shown_alert, states)), format)
    elif at_s is None:
        print(_NEVER)
    elif history:
        render([_transition(shown_transition(each)) for each in kept])
    else:
        stale = "" if behind_s is None else f", {words.within(behind_s)} ago; nothing newer is evaluated"
        when = f"{words.moment(rfc3339(at_s * 1000))} UTC{stale}"
        print(f"{_counted(states)} (as of {when})")
        if states:
            print()
            render(_now([shown_alert(state) for state in states]))
        told = episodes(reversed(kept))
        if told:
            print("\nfired, the newest first:")
            render([_episode(episode, at_s) for episode in reversed(told[-limit:])])
            if len(told) > limit:
                print(f"and {len(told) - limit} before; --limit, --from and --to choose others")


def _counted(states: Sequence[AlertState]) -> str:
    firing = sum(state.phase.fires for state in states)
    pending = len(states) - firing
    said = {0: "no alert fires", 1: "1 alert fires"}.get(firing, f"{firing} alerts fire")
    return f"{said}, {pending} pending" if pending else said


def _now(alerts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for the alerts of an objective on a subject that are of one severity and in one phase."""
    lines: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for alert in alerts:
        names = (alert["severity"], alert["phase"], alert["model"], words.part(alert), alert["objective"])
        lines[names].append(alert)
    parts = any(map(words.part, alerts))
    return [
        {
            "severity": severity,
            "phase": phase,
            "model": model,
            **({"of": part} if parts else {}),
            "objective": objective,
            "rules": ", ".join(alert["rule"] for alert in some),
            "since": words.moment(some[0]["since"]),
            "for": words.within(words.seconds_between(some[0]["since"], some[0]["as_of"])),
        }
        for (severity, phase, model, part, objective), some in lines.items()
    ]


def _episode(episode: Episode, now_s: int) -> dict[str, Any]:
    to_s = now_s if episode.to_s is None else episode.to_s
    return {
        "fired": words.moment(rfc3339(episode.from_s * 1000)),
        "for": words.within(to_s - episode.from_s) + (", still" if episode.to_s is None else ""),
        "severity": f"{episode.severity}{' (found late)' if episode.quiet else ''}",
        "model and part": str(episode.subject),
        "objective": episode.objective,
        "rules": ", ".join(episode.rules),
    }


def _transition(transition: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": words.moment(transition["at"]),
        "severity": transition["severity"],
        "model": transition["model"],
        "of": words.part(transition) or None,
        "objective": transition["objective"],
        "rule": transition["rule"],
        "went": f"{transition['before']} > {transition['after']}",
        "why": transition["why"],
        "quiet": transition["quiet"],
        "facts": transition["facts"],
    }
