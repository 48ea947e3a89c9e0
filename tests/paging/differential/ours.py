"""The same scenario through our pager, on simulated time; what it tells arrives at once, or fails."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from monitor.paging.alert import Alert, fingerprint, labels_of
from monitor.paging.decision import Decision
from monitor.paging.document import from_mapping
from monitor.paging.matching import matcher
from monitor.paging.message import Message
from monitor.paging.pager import Pager
from monitor.paging.receivers.webhook import payload
from monitor.paging.settings import PagerSettings
from monitor.paging.silence import Silence
from monitor.paging.state import Kind, PagerState, Slot, read, written
from tests.paging.differential.document import configuration, receiver_name
from tests.paging.differential.recording import Arrival
from tests.paging.differential.scenario import Expire, Moment, MomentKind, Push, Reported, Scenario, Silenced

__all__ = ["Memory", "Ours", "fingerprint_of"]

_URL = "http://127.0.0.1:1"


def fingerprint_of(scenario: Scenario, alert: Reported) -> str:
    """Which alert it is."""
    return fingerprint(labels_of({**alert.labels, "scenario": scenario.name}))


class _NoMistakes:
    """Takes what is wrong with a configuration; there must be nothing."""

    def add(self, place: object, sentence: str) -> None:
        raise AssertionError(f"{place}: {sentence}")

    def within(self, place: object) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Memory:
    """What a restart keeps: everything, as ours does, or less."""

    alerts: bool = True
    sent: bool = True
    silences: bool = True


@dataclass
class Ours:
    """Runs one scenario. `pager` is the class to run it with, `memory` what it keeps over the moment, and
    `sweeps_ms` when one that sweeps takes away empty groups."""

    scenario: Scenario
    begins_ms: int
    pager: type[Pager] = Pager
    memory: Memory = Memory()
    sweeps_ms: tuple[int, ...] = ()
    arrivals: list[Arrival] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def run(self) -> list[Arrival]:
        """What arrives, in order."""
        self._waiting: dict[Slot, Message] = {}
        self._silences: dict[str, Silence] = {}
        self._settings = self._read(reloaded=False)
        self._pager = self.pager(self._settings)
        for at_ms, what in self._timeline():
            self._flush(at_ms)
            self._do(at_ms, what)
        self._flush(self.scenario.length_ms)
        return self.arrivals

    def known(self) -> Mapping[str, Alert]:
        """The alerts at the end, by fingerprint."""
        return self._pager.alerts

    def _read(self, *, reloaded: bool) -> PagerSettings:
        document = configuration(
            [self.scenario], _URL, {self.scenario.name: self.begins_ms}, reloaded=reloaded
        )
        return from_mapping(document, (), _NoMistakes())  # type: ignore[arg-type]

    def _timeline(self) -> Iterator[tuple[int, object]]:
        each: list[tuple[int, object]] = [(step.at_ms, step) for step in self.scenario.steps]
        each += [(f.to_ms, None) for f in self.scenario.failing]
        each += [(sweep_ms, "sweep") for sweep_ms in self.sweeps_ms]
        if self.scenario.moment is not None:
            each.append((self.scenario.moment.at_ms, self.scenario.moment))
        yield from sorted(each, key=lambda pair: pair[0])

    def _do(self, at_ms: int, what: object) -> None:
        if isinstance(what, Push):
            self._pager.put([self._alert(a, at_ms) for a in what.alerts], self.begins_ms + at_ms)
        elif isinstance(what, Silenced):
            self._silences[what.name] = self._silence(what, at_ms)
            self._pager.set_silences(tuple(self._silences.values()))
        elif isinstance(what, Expire):
            ended = replace(self._silences[what.name], ends_ms=self.begins_ms + at_ms)
            self._silences[what.name] = ended
            self._pager.set_silences(tuple(self._silences.values()))
        elif isinstance(what, Moment):
            self._happen(what)
        elif what == "sweep" and hasattr(self._pager, "sweep"):
            self._pager.sweep()
        self._flush(at_ms)
        if isinstance(what, Moment) and hasattr(self._pager, "take_late"):
            self._pager.take_late(self.begins_ms + at_ms)
        if what is None:
            self._retry(at_ms)

    def _alert(self, alert: Reported, at_ms: int) -> Alert:
        """As the API makes it of a report."""
        now_ms = self.begins_ms + at_ms
        starts_ms = None if alert.starts_ms is None else self.begins_ms + alert.starts_ms
        ends_ms = None if alert.ends_ms is None else self.begins_ms + alert.ends_ms
        if starts_ms is None:
            starts_ms = now_ms if ends_ms is None else ends_ms
        until_ms = now_ms + self.scenario.resolve_timeout_ms if ends_ms is None else ends_ms
        return Alert(
            labels_of({**alert.labels, "scenario": self.scenario.name}),
            labels_of(alert.annotations),
            starts_ms,
            until_ms,
            now_ms,
            timeout=ends_ms is None,
        )

    def _silence(self, step: Silenced, at_ms: int) -> Silence:
        matchers = tuple(matcher(*m) for m in step.matchers)
        begin_ms = self.begins_ms
        return Silence(
            f"{self.scenario.name}-{step.name}",
            (matcher("scenario", "=", self.scenario.name), *matchers),
            begin_ms + max(step.starts_ms, at_ms),
            begin_ms + step.ends_ms,
            begin_ms + at_ms,
            "test",
            "test",
        )

    def _happen(self, moment: Moment) -> None:
        now_ms = self.begins_ms + moment.at_ms
        if moment.kind is MomentKind.RELOADED:
            self._pager.reconfigure(self._read(reloaded=True), now_ms)
            return
        known, kept = self._pager.state(), PagerState()
        for kind, _, value in known.items():
            if self.memory.alerts or (self.memory.sent and kind is Kind.SENT):
                kept.add(read(kind, written(value)))
        if not self.memory.silences:
            self._silences.clear()
        self._pager = self.pager(self._settings, kept, tuple(self._silences.values()))

    def _flush(self, until_ms: int) -> None:
        """Everything that is due until then, in order."""
        while (due_ms := self._pager.next_ms) is not None and due_ms <= self.begins_ms + until_ms:
            decisions = self._pager.flush(due_ms)
            self.decisions += decisions
            for decision in decisions:
                self._tell(decision, due_ms - self.begins_ms)

    def _tell(self, decision: Decision, at_ms: int) -> None:
        if decision.withdraws and decision.slot in self._waiting:
            # Nobody heard of it, so nobody hears that it is over.
            del self._waiting[decision.slot]
            self._pager.delivered(decision.slot, self.begins_ms + at_ms)
        elif decision.message is not None:
            self._waiting[decision.slot] = decision.message
            self._send(decision.slot, at_ms)

    def _send(self, slot: Slot, at_ms: int) -> None:
        message = self._waiting[slot]
        status = self._status(slot, at_ms)
        if status == 200:
            del self._waiting[slot]
            targets = self.scenario.receivers[slot.receiver.removeprefix(f"{self.scenario.name}-")]
            body = payload(message, targets[slot.integration].max_alerts)
            path = f"{slot.receiver}/{slot.integration}"
            self.arrivals.append(Arrival(path, at_ms, body, message.reason))
            self._pager.delivered(slot, self.begins_ms + at_ms)
        elif 400 <= status < 500:
            del self._waiting[slot]
            self._pager.failed(slot)

    def _status(self, slot: Slot, at_ms: int) -> int:
        for f in self.scenario.failing:
            named = (receiver_name(self.scenario, f.receiver), f.index) == (slot.receiver, slot.integration)
            if named and f.from_ms <= at_ms < f.to_ms:
                return f.status
        return 200

    def _retry(self, at_ms: int) -> None:
        for slot in list(self._waiting):
            self._send(slot, at_ms)
