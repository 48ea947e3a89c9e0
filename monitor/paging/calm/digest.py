"""What isn't urgent, told together at a stated local time: what is new, what still fires, what has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from monitor.paging.alert import Alert, Status
from monitor.paging.oncall.local_time import local_date, moment_ms
from monitor.paging.settings import Digest
from monitor.paging.templates.times import length, moment
from monitor.paging.templates.wording import alert_summary

__all__ = ["Collected", "Issue", "Issued", "due_ms", "issue", "key_of", "words"]

_LISTED = 50


@dataclass(frozen=True, slots=True)
class Issued:
    """When a digest was last due, whether there was anything to say or not, or when it was first heard of."""

    digest: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Collected:
    """An alert that waits for the digest, as it was last considered; `told`: it fired in the last one."""

    digest: str
    fingerprint: str
    alert: Alert
    told: bool = False


def key_of(collected: Collected) -> str:
    """Which alert of which digest."""
    return f"{collected.fingerprint} {collected.digest}"


@dataclass(frozen=True, slots=True)
class Issue:
    """One digest: the alerts by what became of them since the last; the `rest` is collected further."""

    new: tuple[Collected, ...]
    still: tuple[Collected, ...]
    ended: tuple[Collected, ...]
    rest: tuple[Collected, ...]

    @property
    def empty(self) -> bool:
        return not (self.new or self.still or self.ended)

    @property
    def fingerprints(self) -> frozenset[str]:
        """Of all that it tells of."""
        return frozenset(c.fingerprint for c in (*self.new, *self.still, *self.ended))


def due_ms(digest: Digest, after_ms: int) -> int:
    """The first of its times after `after_ms`."""
    day = local_date(after_ms, digest.zone) - timedelta(days=1)
    while True:
        at_ms = moment_ms(day, digest.at, digest.zone)
        if day.weekday() in digest.days and at_ms > after_ms:
            return at_ms
        day += timedelta(days=1)


def issue(
    collected: list[Collected],
    alerts: Mapping[str, Alert],
    waits: Callable[[str], bool],
    now_ms: int,
) -> Issue:
    """The digest of what was `collected`. `alerts` are those that are known now, by fingerprint; one that
    fires is told where it `waits` for a digest, and left for the next where something else silences it."""
    new, still, ended, rest = (list[Collected]() for _ in range(4))
    for one in sorted(collected, key=lambda c: (c.alert.starts_ms, c.alert.labels)):
        alert = alerts.get(one.fingerprint)
        if alert is None or alert.status_at(now_ms) is Status.RESOLVED:
            ended.append(replace(one, alert=alert or one.alert))
        elif not waits(one.fingerprint):
            rest.append(one)
        else:
            (still if one.told else new).append(one)
            rest.append(replace(one, alert=alert, told=True))
    return Issue(tuple(new), tuple(still), tuple(ended), tuple(rest))


def words(digest: Digest, found: Issue, since_ms: int, now_ms: int) -> str:
    """What the receiver is told."""
    counts = ((found.new, "new"), (found.still, "still firing"), (found.ended, "ended"))
    headline = ", ".join(f"{len(some)} {what}" for some, what in counts if some)
    lines = [f"Digest {digest.name}: {headline} since {moment(since_ms, digest.zone, now_ms)}"]
    for some, what in counts:
        if not some:
            continue
        lines += ["", f"{what.capitalize()}:"]
        lines += [_line(one.alert, digest.zone, now_ms, what == "ended") for one in some[:_LISTED]]
        lines += [f"- and {len(some) - _LISTED} more"] if len(some) > _LISTED else []
    return "\n".join(lines)


def _line(alert: Alert, zone: str, now_ms: int, ended: bool) -> str:
    since = moment(alert.starts_ms, zone, now_ms)
    owner = dict(alert.labels).get("owner", "")
    whose = f" ({owner})" if owner else ""
    lasted = length(min(alert.ends_ms, now_ms) - alert.starts_ms)
    when = f"began {since}, lasted {lasted}" if ended else f"since {since}"
    return f"- {alert_summary(alert)}{whose}, {when}"
