"""What became of a request: pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitor.ingest.events.kinds import Deployment, TrainingRun, moment_ms
from monitor.operations.production import is_live
from monitor.retraining.deciding import Step
from monitor.store.events import Stored
from monitor.store.retraining import Request

__all__ = ["Followed", "follow", "is_running", "spent"]

_GOES_ON = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Followed:
    """How far it has come, and the run that answers it; None where none does so far."""

    step: Step
    run: TrainingRun | None = None

    @property
    def version(self) -> str | None:
        """What came of the run."""
        return None if self.run is None or self.run.version is None else str(self.run.version)


def follow(
    request: Request, until_ms: int | None, events: Sequence[Stored], give_up_ms: int, now_ms: int
) -> Followed:
    """What became of it until now. `until_ms` is when the policy asked again; `events` are those of the
    model, in the order in which they happened.

    The run is one that names the request, else the newest that began after it and names none.
    """
    if request.dry_run:
        return Followed(Step.DRY_RUN)
    if request.needs_approval and not request.approved:
        return Followed(Step.WAITING if request.approved is None else Step.REJECTED)
    since_ms = request.at_ms if request.reviewed_ms is None else max(request.at_ms, request.reviewed_ms)
    said = list(_answers(request, until_ms, events))
    if not said:
        waits = now_ms - since_ms <= give_up_ms
        return Followed(Step.REQUESTED if waits else Step.GIVEN_UP)
    at_ms, run = said[-1]
    if run.status in _GOES_ON:
        return Followed(Step.RUNNING if now_ms - at_ms <= give_up_ms else Step.GIVEN_UP, run)
    if run.status != "succeeded":
        return Followed(Step.FAILED, run)
    deployed = run.version is not None and _is_deployed(events, str(run.version), at_ms)
    return Followed(Step.DEPLOYED if deployed else Step.SUCCEEDED, run)


def _answers(
    request: Request, until_ms: int | None, events: Sequence[Stored]
) -> Iterator[tuple[int, TrainingRun]]:
    """What was said of the run that answers the request."""
    runs = [(e.ts_ms, e.data) for e in events if isinstance(e.data, TrainingRun)]
    named = {run.id for _, run in runs if run.request == request.event}
    if not named:
        free = [run.id for at_ms, run in runs if _is_after(run, at_ms, request, until_ms)]
        named = set(free[-1:])
    yield from ((at_ms, run) for at_ms, run in runs if run.id in named)


def _is_after(run: TrainingRun, at_ms: int, request: Request, until_ms: int | None) -> bool:
    began_ms = at_ms if run.started is None else moment_ms(run.started)
    before_next = until_ms is None or began_ms < until_ms
    return run.request is None and request.at_ms <= began_ms and before_next


def _is_deployed(events: Sequence[Stored], version: str, since_ms: int) -> bool:
    return any(
        isinstance(e.data, Deployment)
        and is_live(e.data)
        and str(e.data.version) == version
        and e.ts_ms >= since_ms
        for e in events
    )


def is_running(events: Iterable[Stored], give_up_ms: int, now_ms: int) -> bool:
    """Whether a run of the model goes on, as far as was said until now."""
    last: dict[str, tuple[int, str]] = {}
    for event in events:
        if isinstance(event.data, TrainingRun) and event.ts_ms <= now_ms:
            last[event.data.id] = event.ts_ms, event.data.status
    return any(status in _GOES_ON and now_ms - at_ms <= give_up_ms for at_ms, status in last.values())


def spent(events: Iterable[Stored], currency: str | None, from_ms: int, now_ms: int) -> float:
    """What runs cost in that currency in (from_ms, now_ms]: each attempt by what was said of it last."""
    costs: dict[tuple[str, int], float] = {}
    for event in events:
        run = event.data
        if isinstance(run, TrainingRun) and from_ms < event.ts_ms <= now_ms and run.currency == currency:
            costs[run.id, run.attempt] = run.cost or 0.0
    return sum(costs.values())
