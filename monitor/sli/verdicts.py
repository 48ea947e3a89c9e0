"""The verdicts on a model's features in one window, version by version."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from monitor.clock import rfc3339
from monitor.profiles.layout import Kind
from monitor.records import Floats
from monitor.sli.drift import Verdict, distances, judge
from monitor.sli.drift_attribution import attribution_ndcg, model_drift
from monitor.sli.drift_verdict import DriftSettings, State, confirmed
from monitor.sli.drifting import Against, Drifting, Held, References
from monitor.sli.entries import place
from monitor.sli.model_verdict import judge as conclude
from monitor.sli.query import groups_in, stored_windows
from monitor.sli.question import Group, Question, Scope, scope_of
from monitor.sli.window_quality import ModelQuality, WindowQuality
from monitor.sli.windows import Bases, UsualBases, Windows, cover, tiers
from monitor.store.baselines import features_of
from monitor.store.detectors import list_alarms
from monitor.store.store import Store

__all__ = ["DriftQuestion", "FeatureDrift", "WindowDrift", "drift"]

_USUAL = UsualBases()
_WEEK_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class DriftQuestion:
    """Which window of which model: the one of `window_s` seconds that holds `at_ms`, or the last record."""

    model: str
    at_ms: int | None = None
    window_s: int = 3600
    version: str | None = None
    segment: Mapping[str, str] = field(default_factory=dict)
    against: Against = Against.BASELINE


class FeatureDrift(TypedDict):
    """A verdict with the distances behind it; None for what the feature does not have.

    `confirmed` says that 2 of the last 3 windows drifted; see drift.Verdict and drift.Distances.
    """

    feature: str
    state: str
    confirmed: bool
    sentence: str
    effect: float | None
    p: float | None
    q: float | None
    psi: float | None
    ks: float | None
    js: float | None
    chi2: float | None
    wasserstein: float | None
    null_share: float | None
    unseen_share: float | None
    rows: int
    reference_rows: int


class OneVerdict(TypedDict):
    """The verdict on a version: inputs, predictions and quality together; see model_verdict.Kind."""

    kind: str
    sentence: str


class ShownQuality(TypedDict):
    """Quality in the window beside that of the baseline; see quality_change.QualityChange. `low` and `high`
    are the limits of the difference."""

    metric: str
    state: str
    value: float | None
    baseline: float | None
    low: float | None
    high: float | None
    labels: int
    label_coverage: float | None
    sentence: str


class ConceptDrift(TypedDict):
    """What a detector found: in the window of labels that begins at `at`, the mean loss (the share of wrong
    predictions, or the mean absolute error) was `after`, and `before` until then."""

    detector: str
    at: str
    before: float
    after: float


class WindowDrift(TypedDict):
    """All verdicts on one version in one window. Times are RFC 3339, UTC.

    `verdict` is the one that counts. `concept` are the alarms of the window and the week before it.
    `state` is the worst of the features'; `note` says why there are none. `model_drift` is the mean effect
    weighted by importance, `attribution_ndcg` how well the order of the attributions holds.
    """

    start: str
    end: str
    model: str
    version: str | None
    segment: Mapping[str, str]
    rows: int
    baseline: int | None
    provisional: bool
    against: str
    state: str
    confirmed: bool
    model_drift: float | None
    attribution_ndcg: float | None
    note: str | None
    verdict: OneVerdict
    quality: ShownQuality
    concept: list[ConceptDrift]
    features: list[FeatureDrift]


def drift(store: Store, question: DriftQuestion, bases: Bases = _USUAL) -> list[WindowDrift]:
    """The verdicts, a line for each version, worst features first. Reads the store.

    Raises QueryError with what to do instead; gives nothing where no feature was ever stored.
    """
    settings = DriftSettings()
    asked = Question(
        question.model,
        "model_drift",
        question.at_ms,
        None if question.at_ms is None else question.at_ms + 1,
        question.window_s,
        by=("version",),
        version=question.version,
        segment=question.segment,
    )
    scope = scope_of(store, asked)
    stored = stored_windows(store, asked, scope, bases.features_s)
    if stored is None:
        return []
    last_s = stored.to_s - question.window_s
    before = settings.confirm_of - 1
    windows = Windows(last_s - before * question.window_s, question.window_s, before + 1)
    return list(_judged(store, question, asked, scope, windows, bases, settings))


def _judged(
    store: Store,
    question: DriftQuestion,
    asked: Question,
    scope: Scope,
    windows: Windows,
    bases: Bases,
    settings: DriftSettings,
) -> Iterator[WindowDrift]:
    last = Windows(windows.to_s - windows.step_s, windows.step_s, 1)
    groups, grouping = groups_in(store, asked, scope, last, bases.features_s)
    references = References(store, features_of(store, question.model))
    drifting = Drifting(references, references.names(), question.against)
    read = drifting.read(windows)
    placed = place(store, Kind.FEATURES, cover(read, tiers(bases.features_s)), read, grouping)
    held, rows = drifting.held(placed, windows, len(groups))
    quality = ModelQuality(store, question.model, bases.quality_s, question.against)
    alarms = list_alarms(store, question.model, last.from_s - _WEEK_S, last.to_s)
    for i, group in enumerate(groups):
        mine = slice(i * windows.n, (i + 1) * windows.n)
        now = held[mine][-1]
        found = quality.of(group, last, None if now is None else now.found)
        concept = [
            ConceptDrift(detector=a.detector, at=rfc3339(a.start_s * 1000), before=a.before, after=a.after)
            for a in alarms
            if a.version == group.version
        ]
        yield _of_group(question, group, last, held[mine], int(rows[mine][-1]), settings, found, concept)


def _of_group(
    question: DriftQuestion,
    group: Group,
    window: Windows,
    held: Sequence[Held | None],
    rows: int,
    settings: DriftSettings,
    quality: WindowQuality,
    concept: list[ConceptDrift],
) -> WindowDrift:
    found = WindowDrift(
        start=rfc3339(window.from_s * 1000),
        end=rfc3339(window.to_s * 1000),
        model=question.model,
        version=group.version,
        segment=group.segment,
        rows=rows,
        baseline=None,
        provisional=False,
        against=str(question.against),
        state=State.TOO_FEW.label,
        confirmed=False,
        model_drift=None,
        attribution_ndcg=None,
        note=_why_none(question, rows),
        verdict=_one_verdict([], quality),
        quality=_shown(quality),
        concept=concept,
        features=[],
    )
    now = held[-1]
    if now is None:
        return found
    names = now.binned()
    verdicts = [() if each is None else _judge(each, names, settings) for each in held]
    table = [[v.state for v in each] if each else [State.TOO_FEW] * len(names) for each in verdicts]
    sure = confirmed(np.array(table, np.int64), settings)[-1] if names else np.zeros(0, np.bool_)
    part = now.of(names)
    features = _features(part, verdicts[-1], sure.tolist())
    found["baseline"], found["provisional"] = now.baseline.number, now.baseline.provisional
    found["note"] = None if names else "no feature of the window has bins yet"
    found["features"] = sorted(
        features, key=lambda f: (-_RANK[f["state"]], -(f["effect"] or 0), f["feature"])
    )
    found["verdict"] = _one_verdict(features, quality)
    if features:
        found["state"] = found["features"][0]["state"]
        found["confirmed"] = any(f["confirmed"] for f in features)
    effect = np.array([np.nan if f["effect"] is None else f["effect"] for f in features])
    inputs = np.array([not f["feature"].startswith("@") for f in features], np.bool_)
    found["model_drift"] = model_drift(effect[inputs], part.importance[inputs])
    found["attribution_ndcg"] = attribution_ndcg(part.reference_attribution, part.attribution)
    return found


_RANK = {State.TOO_FEW.label: 0, State.NONE.label: 1, State.WATCH.label: 2, State.DRIFTED.label: 3}

_STATE = {state.label: state for state in State}


def _one_verdict(features: Sequence[FeatureDrift], quality: WindowQuality) -> OneVerdict:
    inputs, predictions = (
        max(
            (f["state"] for f in features if f["feature"].startswith("@") == of_predictions),
            key=_RANK.__getitem__,
            default=State.TOO_FEW.label,
        )
        for of_predictions in (False, True)
    )
    said = conclude(_STATE[inputs], _STATE[predictions], quality.change, quality.coverage, quality.expected)
    return OneVerdict(kind=said.kind.value, sentence=said.sentence)


def _shown(quality: WindowQuality) -> ShownQuality:
    change = quality.change

    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return ShownQuality(
        metric=change.metric,
        state=change.state.value,
        value=known(change.value),
        baseline=known(change.baseline),
        low=known(change.low),
        high=known(change.high),
        labels=change.labels,
        label_coverage=known(quality.coverage),
        sentence=change.sentence,
    )


def _why_none(question: DriftQuestion, rows: int) -> str:
    if rows == 0:
        return "no records in the window"
    if question.against is Against.PREVIOUS:
        return "no records on the same baseline in the window before"
    return (
        "nothing to hold the window against yet: the first complete windows become a provisional baseline; "
        f"or fit one with `monitor baseline fit FILE --model {question.model}`"
    )


def _judge(held: Held, names: Sequence[str], settings: DriftSettings) -> tuple[Verdict, ...]:
    part = held.of(names)
    return judge(part.shape, part.reference, part.current, part.dispersion, settings)


def _features(held: Held, verdicts: Sequence[Verdict], sure: Sequence[bool]) -> list[FeatureDrift]:
    measured = distances(held.shape, held.reference, held.current)

    def known(values: Floats, i: int) -> Any:
        return None if np.isnan(values[i]) else float(values[i])

    return [
        FeatureDrift(
            feature=v.feature,
            state=v.state.label,
            confirmed=sure[i],
            sentence=v.sentence,
            effect=v.effect,
            p=v.p,
            q=v.q,
            psi=known(measured.psi, i),
            ks=known(measured.ks, i),
            js=known(measured.js, i),
            chi2=known(measured.chi2, i),
            wasserstein=known(measured.wasserstein, i),
            null_share=known(measured.null_share, i),
            unseen_share=known(measured.unseen_share, i),
            rows=v.rows,
            reference_rows=v.reference_rows,
        )
        for i, v in enumerate(verdicts)
    ]
