"""A pager on simulated time, whose messages arrive at once, or fail while a test says so."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.paging.alert import Alert, Status, labels_of
from monitor.paging.decision import Decision
from monitor.paging.message import Message
from monitor.paging.pager import Pager
from monitor.paging.settings import Integration, Matcher, PagerSettings, Receiver, Route
from monitor.paging.silence import Silence
from monitor.paging.state import PagerState, Slot, read, written

__all__ = ["Simulated", "alert", "equals", "pager_settings", "route"]


def equals(name: str, value: str) -> Matcher:
    return Matcher(name, value)


def route(**changed: object) -> Route:
    """A root with Alertmanager's timings in short: waits 1 s, then every 5 s, again after 60 s."""
    given: dict[str, object] = {
        "id": "{}",
        "key": "{}",
        "receiver": "team",
        "matchers": (),
        "group_by": ("alertname",),
        "group_wait_ms": 1_000,
        "group_interval_ms": 5_000,
        "repeat_interval_ms": 60_000,
    }
    return Route(**(given | changed))  # type: ignore[arg-type]  # a test gives what the field takes


def pager_settings(root: Route | None = None, **changed: object) -> PagerSettings:
    receivers = {"team": Receiver("team", (Integration("webhook", 0, None),))}
    given: dict[str, object] = {
        "route": root or route(),
        "receivers": receivers,
        "resolve_timeout_ms": 300_000,
    }
    return PagerSettings(**(given | changed))  # type: ignore[arg-type]


def alert(
    labels: Mapping[str, str] | str,
    starts_ms: int,
    ends_ms: int | None = None,
    *,
    at_ms: int | None = None,
    annotations: Mapping[str, str] | None = None,
    resolve_timeout_ms: int = 300_000,
    quiet: bool = False,
) -> Alert:
    """As the API would make it of a report at `at_ms`, its start unless given."""
    at_ms = starts_ms if at_ms is None else at_ms
    named = {"alertname": labels} if isinstance(labels, str) else labels
    until_ms = at_ms + resolve_timeout_ms if ends_ms is None else ends_ms
    return Alert(
        labels_of(named),
        labels_of(annotations or {}),
        starts_ms,
        until_ms,
        at_ms,
        ends_ms is None,
        quiet=quiet,
    )


@dataclass
class Simulated:
    """Runs a pager from event to event; `sent` is what arrived, `decisions` is everything."""

    settings: PagerSettings
    fails: Callable[[Message, int], bool] = lambda message, now_ms: False
    decisions: list[Decision] = field(default_factory=list)
    sent: list[tuple[int, Message]] = field(default_factory=list)
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.pager = Pager(self.settings)
        self._waiting: dict[Slot, Message] = {}

    def put(self, *alerts: Alert) -> None:
        self.pager.put(alerts, self.now_ms)

    def silences(self, silences: Sequence[Silence]) -> None:
        self.pager.set_silences(silences)

    def restart(self) -> None:
        """What is kept goes through documents, as through a store."""
        state, silences = self.pager.state(), self.pager.silences
        kept = PagerState()
        for kind, _, value in state.items():
            kept.add(read(kind, written(value)))
        self.pager = Pager(self.settings, kept, silences)

    def run(self, until_ms: int) -> None:
        """Everything that is due until then, in order."""
        while True:
            due_ms = self.pager.next_ms
            if due_ms is None or due_ms > until_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.take(self.pager.flush(self.now_ms))
        self.now_ms = until_ms

    def take(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            self.decisions.append(decision)
            if decision.message is None:
                continue
            if self.fails(decision.message, self.now_ms):
                self._waiting[decision.slot] = decision.message
                continue
            self._waiting.pop(decision.slot, None)
            self.sent.append((self.now_ms, decision.message))
            self.pager.delivered(decision.slot, self.now_ms)

    def retry(self) -> None:
        """Sends what waits once more."""
        for slot, message in list(self._waiting.items()):
            if not self.fails(message, self.now_ms):
                del self._waiting[slot]
                self.sent.append((self.now_ms, message))
                self.pager.delivered(slot, self.now_ms)

    def told(self) -> list[tuple[int, str, list[str]]]:
        """What arrived: when, status, and the alerts by name, those that ended with a minus."""
        return [
            (at_ms, str(m.status), [_name(t.alert, t.status) for t in m.alerts]) for at_ms, m in self.sent
        ]

    def reasons(self) -> list[str]:
        return [d.reason.name for d in self.decisions]


def _name(alert: Alert, status: Status) -> str:
    name = dict(alert.labels)["alertname"]
    return name if status is Status.FIRING else f"-{name}"
