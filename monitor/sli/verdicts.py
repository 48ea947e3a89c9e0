"""The verdicts on a model's features in one window, version by version."""

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
from monitor.sli.query import groups_in, stored_windows
from monitor.sli.question import Group, Question, Scope, scope_of
from monitor.sli.windows import Bases, UsualBases, Windows, cover, tiers
from monitor.store.baselines import features_of
from monitor.store.store import Store

__all__ = ["DriftQuestion", "FeatureDrift", "WindowDrift", "drift"]

_USUAL = UsualBases()


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


class WindowDrift(TypedDict):
    """All verdicts on one version in one window. Times are RFC 3339, UTC.

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
    for i, group in enumerate(groups):
        mine = slice(i * windows.n, (i + 1) * windows.n)
        yield _of_group(question, group, last, held[mine], int(rows[mine][-1]), settings)


def _of_group(
    question: DriftQuestion,
    group: Group,
    window: Windows,
    held: Sequence[Held | None],
    rows: int,
    settings: DriftSettings,
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
    if features:
        found["state"] = found["features"][0]["state"]
        found["confirmed"] = any(f["confirmed"] for f in features)
    effect = np.array([np.nan if f["effect"] is None else f["effect"] for f in features])
    inputs = np.array([not f["feature"].startswith("@") for f in features], np.bool_)
    found["model_drift"] = model_drift(effect[inputs], part.importance[inputs])
    found["attribution_ndcg"] = attribution_ndcg(part.reference_attribution, part.attribution)
    return found


_RANK = {State.TOO_FEW.label: 0, State.NONE.label: 1, State.WATCH.label: 2, State.DRIFTED.label: 3}


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
