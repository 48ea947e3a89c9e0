"""One verdict per model: whether its inputs moved, its predictions moved, and its quality is lost."""

from dataclasses import dataclass
from enum import Enum

from monitor.sli.drift_verdict import State
from monitor.sli.quality_change import QualityChange, QualityState

__all__ = ["ExpectedQuality", "Kind", "ModelVerdict", "judge"]


class Kind(Enum):
    """What a verdict says."""

    ALL_QUIET = "all quiet"
    INPUTS_MOVED = "inputs moved, quality held"
    PREDICTIONS_MOVED = "predictions moved, inputs and quality held"
    CONCEPT_DRIFT = "quality lost, inputs held"
    INPUTS_AND_QUALITY = "inputs moved and quality lost"
    QUALITY_LOST = "quality lost, inputs unknown"
    MOVED_UNLABELLED = "inputs moved, no labels yet"
    PREDICTIONS_UNLABELLED = "predictions moved, no labels yet"
    QUIET_UNLABELLED = "inputs held, no labels yet"
    UNKNOWN = "too little to tell"


@dataclass(frozen=True, slots=True)
class ExpectedQuality:
    """A metric expected from the scores (`expected_accuracy`), and what the baseline's is."""

    name: str
    value: float
    baseline: float


@dataclass(frozen=True, slots=True)
class ModelVerdict:
    """`kind` is for machines, `sentence` for people. `quality_lost` is for alerts."""

    kind: Kind
    sentence: str

    @property
    def quality_lost(self) -> bool:
        return self.kind in (Kind.CONCEPT_DRIFT, Kind.INPUTS_AND_QUALITY, Kind.QUALITY_LOST)


def judge(
    inputs: State,
    predictions: State,
    quality: QualityChange,
    coverage: float,
    expected: ExpectedQuality | None = None,
) -> ModelVerdict:
    """The verdict on a window, of the drift of the inputs (of all features), of the predictions, and of the
    quality. `coverage` is the share of its predictions that have labels, NaN for no predictions."""
    kind = _kind(inputs, predictions, quality.state)
    return ModelVerdict(
        kind, f"{kind.value}{_because(kind, inputs, predictions, quality, coverage, expected)}"
    )


def _kind(inputs: State, predictions: State, quality: QualityState) -> Kind:
    moved, shifted = inputs is State.DRIFTED, predictions is State.DRIFTED
    few = inputs is State.TOO_FEW
    if quality is QualityState.LOST:
        return Kind.INPUTS_AND_QUALITY if moved else Kind.QUALITY_LOST if few else Kind.CONCEPT_DRIFT
    if quality is QualityState.UNKNOWN:
        if moved:
            return Kind.MOVED_UNLABELLED
        if shifted:
            return Kind.PREDICTIONS_UNLABELLED
        return Kind.UNKNOWN if few else Kind.QUIET_UNLABELLED
    if moved:
        return Kind.INPUTS_MOVED
    return Kind.PREDICTIONS_MOVED if shifted else Kind.ALL_QUIET


def _because(
    kind: Kind,
    inputs: State,
    predictions: State,
    quality: QualityChange,
    coverage: float,
    expected: ExpectedQuality | None,
) -> str:
    said = f": {quality.sentence}"
    if kind is Kind.CONCEPT_DRIFT:
        said = f" (concept drift): {quality.sentence}"
    if predictions is State.DRIFTED and kind in (Kind.CONCEPT_DRIFT, Kind.QUALITY_LOST):
        said += "; the predictions moved, so look at the model and how it is served"
    if inputs is State.TOO_FEW and quality.state is not QualityState.UNKNOWN:
        said += "; too few rows to judge the inputs"
    if quality.state is QualityState.UNKNOWN:
        if expected is not None:
            said += f"; {expected.name} is {expected.value:.4g}, was {expected.baseline:.4g}"
    elif coverage < 1:
        said += f"; {coverage * 100:.3g} % of the predictions have labels"
    return said
