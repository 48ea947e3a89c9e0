"""A real Alertmanager in which many scenarios run side by side, each step at its time."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from tests.paging.differential.document import configuration, receiver_name
from tests.paging.differential.hearing import Hearing
from tests.paging.differential.recording import Arrival, Recording
from tests.paging.differential.scenario import (
    Expire,
    Moment,
    MomentKind,
    Push,
    Reported,
    Scenario,
    Silenced,
    Step,
)
from tests.servers import Alertmanager, ServerFailed

__all__ = ["SWEEP_MS", "Arena", "Stalls", "matcher_document"]

SWEEP_MS = 30_000
_TICK_S, _AFTER_MS = 0.02, 1_500


class Stalls:
    """Notes how long this machine let a thread wait that only wanted to sleep a moment."""

    def __init__(self) -> None:
        self._found: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stalls", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        before = time.time()
        while not self._over.wait(_TICK_S):
            now = time.time()
            if now - before > 5 * _TICK_S:
                self._found.append((now * 1000, (now - before - _TICK_S) * 1000))
            before = now

    def worst_ms(self, from_ms: float, to_ms: float) -> float:
        """The longest that ended between two times, ms since the epoch."""
        return max((ms for at_ms, ms in self._found if from_ms <= at_ms <= to_ms), default=0.0)

    def close(self) -> None:
        self._over.set()
        self._thread.join()


@dataclass(frozen=True, slots=True)
class Placed:
    """A scenario and when it begins after its arena does."""

    scenario: Scenario
    offset_ms: int


class Arena:
    """One Alertmanager for scenarios that share their moment, if they have one.

    It is started so that its sweeps of empty groups come `sweep_at_ms` after the arena begins, and every 30 s
    from there. `begins_ms` (since the epoch) None: as soon as it can. `offsets_ms` spreads the scenarios.
    `serve` makes what answers, the real one unless said otherwise.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        *,
        sweep_at_ms: int = 28_125,
        begins_ms: int | None = None,
        offsets_ms: Sequence[int] = (0,),
        serve: Callable[[Mapping[str, Any]], Any] = Alertmanager,
    ) -> None:
        moments = {s.moment for s in scenarios}
        if len(moments) != 1:
            raise ValueError("the scenarios of an arena share one moment")
        (self._moment,) = moments
        self._placed = [Placed(s, offsets_ms[i % len(offsets_ms)]) for i, s in enumerate(scenarios)]
        self._sweep_at_ms = sweep_at_ms
        self._begins_ms = begins_ms
        self._serve = serve
        self._silences: dict[tuple[str, str], str] = {}
        self._late: dict[str, float] = {}

    def run(self, stalls: Stalls) -> dict[str, Recording]:
        """The recordings by scenario. Blocks as long as the scenarios take."""
        with Hearing(self._verdict) as hearing:
            if self._begins_ms is not None:
                _sleep_until(self._begins_ms - SWEEP_MS + self._sweep_at_ms)
            # What it answers with before its beginning is known doesn't use the time.
            guess = self._begins_ms or int(time.time() * 1000)
            server = self._serve(self._document(hearing.url, guess))
            with server:
                self._begin = self._begins_ms or int(time.time() * 1000) + SWEEP_MS - self._sweep_at_ms
                try:
                    self._play(server, hearing)
                except OSError as e:
                    state = "runs" if server.running else "is gone"
                    raise ServerFailed(f"alertmanager {state}, {e}:\n{server.log_tail()}") from e
                length = max(p.offset_ms + p.scenario.length_ms for p in self._placed)
                _sleep_until(self._begin + length + _AFTER_MS)
        return {p.scenario.name: self._recording(p, hearing, stalls) for p in self._placed}

    def _document(self, url: str, begin_ms: int, *, reloaded: bool = False) -> dict[str, Any]:
        begins = {p.scenario.name: begin_ms + p.offset_ms for p in self._placed}
        return configuration([p.scenario for p in self._placed], url, begins, reloaded=reloaded)

    def _verdict(self, path: str, at_ms: float) -> int:
        for placed in self._placed:
            for failing in placed.scenario.failing:
                name = f"{receiver_name(placed.scenario, failing.receiver)}/{failing.index}"
                since = at_ms - self._begin - placed.offset_ms
                if name == path and failing.from_ms <= since < failing.to_ms:
                    return failing.status
        return 200

    def _play(self, server: Alertmanager, hearing: Hearing) -> None:
        for at_ms, steps in self._timeline():
            _sleep_until(self._begin + at_ms)
            for step in steps:
                if isinstance(step, Moment):
                    self._happen(server, step, hearing.url)
            self._push(server, [(p, s) for p, s in _of_scenarios(steps) if isinstance(s, Push)])
            for placed, step in _of_scenarios(steps):
                if not isinstance(step, Push):
                    self._silence(server, placed, step)
            late = time.time() * 1000 - self._begin - at_ms
            for placed, _ in _of_scenarios(steps):
                name = placed.scenario.name
                self._late[name] = max(late, self._late.get(name, 0.0))

    def _timeline(self) -> Iterator[tuple[int, list[Any]]]:
        """What happens at each time, after the arena begins."""
        each: list[tuple[int, Any]] = [
            (placed.offset_ms + step.at_ms, (placed, step))
            for placed in self._placed
            for step in placed.scenario.steps
        ]
        if self._moment is not None:
            each.append((self._moment.at_ms, self._moment))
        for at_ms, group in groupby(sorted(each, key=itemgetter(0)), key=itemgetter(0)):
            yield at_ms, [what for _, what in group]

    def _happen(self, server: Alertmanager, moment: Moment, url: str) -> None:
        if moment.kind is MomentKind.RELOADED:
            server.reload(self._document(url, self._begin, reloaded=True))
        elif moment.kind is MomentKind.KILLED:
            server.kill()
            server.start()
        else:
            server.restart()

    def _push(self, server: Alertmanager, pushes: Sequence[tuple[Placed, Push]]) -> None:
        # Of two reports of one alert at the same time the order counts, so they go apart.
        waves: list[list[dict[str, Any]]] = []
        for number in range(max((len(list(g)) for _, g in _by_scenario(pushes)), default=0)):
            wave = []
            for _, group in _by_scenario(pushes):
                own = list(group)
                if number < len(own):
                    placed, push = own[number]
                    wave += [self._alert(placed, alert) for alert in push.alerts]
            waves.append(wave)
        for wave in waves:
            server.request("POST", "/api/v2/alerts", wave)

    def _alert(self, placed: Placed, alert: Reported) -> dict[str, Any]:
        begin = self._begin + placed.offset_ms
        document: dict[str, Any] = {
            "labels": {**alert.labels, "scenario": placed.scenario.name},
            "annotations": dict(alert.annotations),
        }
        if alert.starts_ms is not None:
            document["startsAt"] = _time(begin + alert.starts_ms)
        if alert.ends_ms is not None:
            document["endsAt"] = _time(begin + alert.ends_ms)
        return document

    def _silence(self, server: Alertmanager, placed: Placed, step: Step) -> None:
        key = (placed.scenario.name, getattr(step, "name", ""))
        if isinstance(step, Silenced):
            begin = self._begin + placed.offset_ms
            document = {
                "matchers": matcher_document(step, placed.scenario),
                "startsAt": _time(begin + step.starts_ms),
                "endsAt": _time(begin + step.ends_ms),
                "createdBy": "test",
                "comment": "test",
            }
            self._silences[key] = server.request("POST", "/api/v2/silences", document)["silenceID"]
        elif isinstance(step, Expire):
            server.request("DELETE", f"/api/v2/silence/{self._silences[key]}")

    def _recording(self, placed: Placed, hearing: Hearing, stalls: Stalls) -> Recording:
        scenario, begin = placed.scenario, self._begin + placed.offset_ms
        prefix = f"{scenario.name}-"
        heard = [h for h in hearing.heard if h.path.startswith(prefix)]
        # It goes on for a while, for the others of the arena aren't over yet.
        ends_ms = begin + scenario.length_ms
        arrivals = [Arrival(h.path, h.at_ms - begin, h.body) for h in heard if h.at_ms < ends_ms]
        late = max(self._late.get(scenario.name, 0.0), stalls.worst_ms(begin, begin + scenario.length_ms))
        return Recording(begin, tuple(arrivals), tuple(self._sweeps(placed)), late)

    def _sweeps(self, placed: Placed) -> Iterator[int]:
        """Counted from the start of what sweeps, which a moment begins anew."""
        end = placed.scenario.length_ms + placed.offset_ms
        first = self._sweep_at_ms
        moment_ms = self._moment.at_ms if self._moment is not None else end
        for begin, until in ((first, moment_ms), (moment_ms + SWEEP_MS, end)):
            yield from (at_ms - placed.offset_ms for at_ms in range(begin, until, SWEEP_MS))


def _of_scenarios(steps: Sequence[Any]) -> list[tuple[Placed, Step]]:
    return [step for step in steps if not isinstance(step, Moment)]


def _by_scenario(pushes: Sequence[tuple[Placed, Push]]) -> Any:
    return groupby(pushes, key=lambda pair: pair[0].scenario.name)


def matcher_document(step: Silenced, scenario: Scenario) -> list[Mapping[str, Any]]:
    """As the API takes them, the scenario's own label first."""
    return [
        {"name": name, "value": value, "isRegex": "~" in operator, "isEqual": not operator.startswith("!")}
        for name, operator, value in (("scenario", "=", scenario.name), *step.matchers)
    ]


def _time(ms: float) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sleep_until(at_ms: float) -> None:
    time.sleep(max(0.0, at_ms / 1000 - time.time()))
