"""Trainings, pipelines and data: how they went, how long they took, and how old what they made is."""

from collections.abc import Iterable, Iterator
from math import nan
from typing import TypeAlias

from monitor.ingest.events.kinds import (
    Dataset,
    Deployment,
    PipelineRun,
    RetrainRequested,
    Rollback,
    TrainingRun,
    moment_ms,
)
from monitor.operations.facts import Facts, Happened
from monitor.operations.measures import Fold, Mark, Marks, Measure, Passing, Step, Steps
from monitor.operations.production import is_live

__all__ = ["RUN_MEASURES"]

_Run: TypeAlias = TrainingRun | PipelineRun

_ENDED = ("succeeded", "failed")


def _finals(facts: Facts, kind: type[_Run]) -> list[tuple[int, TrainingRun | PipelineRun]]:
    """The last word on each run that ended: that of its highest attempt."""
    last: dict[str, tuple[int, _Run]] = {}
    for at_ms, run in facts.of(kind):
        if run.status in _ENDED and (run.id not in last or run.attempt >= last[run.id][1].attempt):
            last[run.id] = at_ms, run
    return list(last.values())


def _success(kind: type[_Run]) -> Marks:
    def marks(facts: Facts) -> Iterator[Mark]:
        for at_ms, run in _finals(facts, kind):
            yield at_ms, float(run.status == "succeeded")

    return Marks(marks)


def _duration(kind: type[_Run]) -> Marks:
    def marks(facts: Facts) -> Iterator[Mark]:
        for at_ms, run in _finals(facts, kind):
            if run.started is not None and run.finished is not None:
                yield at_ms, (moment_ms(run.finished) - moment_ms(run.started)) / 1000

    return Marks(marks)


def _cost(kind: type[_Run]) -> Marks:
    def marks(facts: Facts) -> Iterator[Mark]:
        return ((at_ms, run.cost) for at_ms, run in _finals(facts, kind) if run.cost is not None)

    return Marks(marks)


def _trainings(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, 1.0) for at_ms, _ in _finals(facts, TrainingRun))


def _retries(facts: Facts) -> Iterator[Mark]:
    """An attempt beyond the first counts once, when it is first heard of."""
    seen: set[tuple[str, int]] = set()
    for at_ms, run in facts.of(TrainingRun):
        if run.attempt > 1 and (run.id, run.attempt) not in seen:
            seen.add((run.id, run.attempt))
            yield at_ms, 1.0


def _preempted(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, 1.0) for at_ms, run in facts.of(TrainingRun) if run.preempted)


def _gpu_use(facts: Facts) -> Iterator[Mark]:
    runs = ((at_ms, run) for at_ms, run in _finals(facts, TrainingRun) if isinstance(run, TrainingRun))
    return ((at_ms, run.gpu_use) for at_ms, run in runs if run.gpu_use is not None)


def _requests(facts: Facts) -> Iterator[Mark]:
    return ((at_ms, 1.0) for at_ms, asked in facts.of(RetrainRequested) if not asked.dry_run)


def _until_deployed(facts: Facts) -> Iterator[Mark]:
    """From a request to retrain to the first deployment of a version that was trained after it."""
    runs = facts.of(TrainingRun)
    deployed = [(at_ms, data) for at_ms, data in facts.of(Deployment) if is_live(data)]
    for asked_ms, asked in facts.of(RetrainRequested):
        trained = {
            str(run.version)
            for at_ms, run in runs
            if run.version is not None and run.status == "succeeded" and at_ms >= asked_ms
        }
        after = (at for at, data in deployed if at >= asked_ms and str(data.version) in trained)
        done_ms = next(after, None)
        if done_ms is not None and not asked.dry_run:
            yield done_ms, (done_ms - asked_ms) / 1000


def _ages(facts: Facts, since: str) -> Iterator[Step]:
    """The moment that the version in production dates from, step by step."""
    for live in facts.into_production():
        yield Step(live.at_ms, _origin(facts, live, since))


def _origin(facts: Facts, live: Happened, since: str) -> float:
    """When the version's last training before it went live ended, or its data did; NaN where not known."""
    runs = (
        (at_ms, run)
        for at_ms, run in facts.of(TrainingRun)
        if run.status == "succeeded" and str(run.version) == live.version and at_ms <= live.at_ms
    )
    last = max(runs, key=lambda found: found[0], default=None)
    if last is None:
        return nan
    at_ms, run = last
    if since == "training":
        return float(at_ms)
    return nan if run.data_until is None else float(moment_ms(run.data_until))


def _trained(facts: Facts) -> Iterable[Step]:
    return _ages(facts, "training")


def _data_until(facts: Facts) -> Iterable[Step]:
    return _ages(facts, "data")


def _deployed(facts: Facts) -> Iterable[Step]:
    return (Step(live.at_ms, float(live.at_ms)) for live in facts.into_production())


def _model_since(facts: Facts) -> Iterator[Step]:
    """Since its training, or where that isn't known since it was deployed."""
    for live, trained in zip(facts.into_production(), _trained(facts), strict=True):
        yield Step(live.at_ms, trained.value if trained.value == trained.value else float(live.at_ms))


def _completeness(facts: Facts) -> Iterator[Mark]:
    return (
        (at_ms, data.rows / data.expected_rows) for at_ms, data in facts.of(Dataset) if data.expected_rows
    )


def _dataset_until(facts: Facts) -> Iterator[Step]:
    """The oldest of the newest rows of the model's datasets."""
    newest: dict[str, int] = {}
    for at_ms, data in facts.of(Dataset):
        if data.until is not None:
            newest[data.name] = max(newest.get(data.name, 0), moment_ms(data.until))
            yield Step(at_ms, float(min(newest.values())))


# What says which version is in production, and where it comes from.
_LIVES = (Deployment, Rollback, TrainingRun)
RUN_MEASURES: tuple[Measure, ...] = (
    Measure(
        "training_success_rate",
        "share",
        "training runs that succeeded",
        (TrainingRun,),
        _success(TrainingRun),
    ),
    Measure("training_duration", "s", "how long training runs took", (TrainingRun,), _duration(TrainingRun)),
    Measure("training_cost", "currency", "what a training run cost", (TrainingRun,), _cost(TrainingRun)),
    Measure("trainings", "runs", "training runs that ended", (TrainingRun,), Marks(_trainings, Fold.SUM)),
    Measure(
        "training_frequency",
        "1/d",
        "training runs that ended, per day",
        (TrainingRun,),
        Marks(_trainings, Fold.PER_DAY),
    ),
    Measure(
        "training_retries",
        "attempts",
        "attempts of training runs beyond their first",
        (TrainingRun,),
        Marks(_retries, Fold.SUM),
    ),
    Measure(
        "training_preemptions",
        "runs",
        "training runs that were preempted",
        (TrainingRun,),
        Marks(_preempted, Fold.SUM),
    ),
    Measure(
        "training_gpu_use",
        "share",
        "how busy the GPUs of training runs were",
        (TrainingRun,),
        Marks(_gpu_use),
    ),
    Measure(
        "pipeline_success_rate",
        "share",
        "pipeline runs that succeeded",
        (PipelineRun,),
        _success(PipelineRun),
    ),
    Measure("pipeline_duration", "s", "how long pipeline runs took", (PipelineRun,), _duration(PipelineRun)),
    Measure("pipeline_cost", "currency", "what a pipeline run cost", (PipelineRun,), _cost(PipelineRun)),
    Measure(
        "retrain_requests", "requests", "requests to retrain", (RetrainRequested,), Marks(_requests, Fold.SUM)
    ),
    Measure(
        "retrain_to_deployed",
        "s",
        "from a request to retrain to the deployment of a version trained after it",
        (RetrainRequested, TrainingRun, Deployment),
        Marks(_until_deployed),
    ),
    Measure(
        "model_age",
        "s",
        "since the model in production was trained, or deployed where that isn't known",
        _LIVES,
        Steps(_model_since, Passing.GROWS_OLDER),
    ),
    Measure(
        "training_age",
        "s",
        "since the model in production was trained",
        _LIVES,
        Steps(_trained, Passing.GROWS_OLDER),
    ),
    Measure(
        "training_data_age",
        "s",
        "age of the newest data that the model in production was trained on",
        _LIVES,
        Steps(_data_until, Passing.GROWS_OLDER),
    ),
    Measure(
        "deployment_age",
        "s",
        "since the model in production was deployed",
        _LIVES,
        Steps(_deployed, Passing.GROWS_OLDER),
    ),
    Measure(
        "dataset_completeness",
        "share",
        "rows of a dataset that came, of those expected",
        (Dataset,),
        Marks(_completeness),
    ),
    Measure(
        "dataset_age",
        "s",
        "age of the newest row of the model's dataset that is most behind",
        (Dataset,),
        Steps(_dataset_until, Passing.GROWS_OLDER),
    ),
)
