"""Objectives written as OpenSLO and read back are the same."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import Config
from monitor.config.objective_values import objectives_of
from monitor.config.writing import yaml_text
from monitor.openslo.exporting import documents
from monitor.openslo.importing import import_files
from monitor.slo.naming import slug

NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30
).filter(lambda name: name.isprintable() and any(c.isascii() and c.isalnum() for c in name))
OPERATIONAL: list[dict[str, Any]] = [
    {"indicator": "training_success"},
    {"indicator": "deployment_lead_time", "at_most": "1d"},
    {"indicator": "cost_per_1k_tokens", "at_most": "0.002"},
]
INDICATORS: list[dict[str, Any]] = [
    {"indicator": "availability"},
    {"indicator": "auth_failure_rate", "slice": "5m", "slice_target": "99.5"},
    {"indicator": "latency", "under": "300ms"},
    {"indicator": "latency", "under": "1500ms", "slice": "1h", "slice_target": "95"},
    {"indicator": "latency_p99.9", "at_most": "1s"},
    {"indicator": "accuracy"},
    {"indicator": "accuracy", "at_least": "90%", "delay": "36h"},
    {"indicator": "rmse", "at_least": "0.5", "at_most": "12.25", "slice": "1d"},
    {"indicator": "bias", "at_least": "-3", "at_most": "3"},
    {"indicator": "drift_free"},
    {"indicator": "schema_validity", "at_most": "2%", "feature": "amount"},
    {"indicator": "drift_psi", "feature": "@score", "at_most": "0.2"},
    {"indicator": "data_freshness", "at_most": "1h"},
    {"indicator": "label_coverage", "at_least": "80%", "delay": "7d"},
    *OPERATIONAL,
]
ROW = st.fixed_dictionaries(
    {
        "spent": st.integers(1, 1000).map(lambda n: f"{n / 10:g}"),
        "long": st.integers(60, 4000).map(lambda minutes: f"{minutes}m"),
        "short": st.integers(1, 59).map(lambda minutes: f"{minutes}m"),
        "severity": st.sampled_from(["page", "ticket", "info"]),
    }
)
ROWS = st.lists(ROW, max_size=3, unique_by=lambda row: float(row["spent"]) / int(row["long"][:-1]))
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "window": st.sampled_from(["1d", "7d", "28d", "30d", "90d", "week", "month", "quarter"]),
    "version": NAMES,
    "description": NAMES.map(str.strip),
    "weight": st.sampled_from(["0.5", "2", "3.25"]),
    "alerts": ROWS,
    "min_events": st.integers(0, 500).map(str),
    "min_bad_events": st.integers(0, 9).map(str),
    "for": st.sampled_from(["0s", "90s", "5m"]),
    "keep_firing": st.sampled_from(["0s", "1h"]),
    "by": st.sampled_from([[], ["country"]]),
}
TARGETS = st.integers(100, 9999).map(lambda n: f"{n / 100:g}")


def _said(target: str, indicator: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """An objective that is right: events are about whole models, and slices are far shorter than windows."""
    left_out: tuple[str, ...] = ("version", "by") if indicator in OPERATIONAL else ()
    if indicator.get("slice") == optional.get("window") == "1d":
        left_out = (*left_out, "window")
    return {"objective": target, **indicator, **{k: v for k, v in optional.items() if k not in left_out}}


OBJECTIVE = st.builds(
    _said,
    TARGETS,
    st.sampled_from(INDICATORS),
    st.fixed_dictionaries({}, optional=OPTIONAL),
)


def config(models: dict[str, Any], slo: dict[str, Any]) -> Config:
    return Config.model_validate({"models": models, "slo": slo}, by_alias=True, by_name=False)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)
@given(
    st.dictionaries(
        NAMES,
        st.dictionaries(NAMES, OBJECTIVE, min_size=1, max_size=3),
        min_size=1,
        max_size=2,
    ),
    st.fixed_dictionaries({}, optional={"alerts": ROWS}),
)
def test_what_is_written_and_read_back_is_the_same(
    objectives: dict[str, dict[str, Any]], slo: dict[str, Any]
) -> None:
    # Names that Prometheus could not tell apart are refused; that has a test of its own.
    objectives = {
        model: dict({slug(n): (n, s) for n, s in of_model.items()}.values())
        for model, of_model in objectives.items()
    }
    before = config({model: {"owner": "o", "objectives": said} for model, said in objectives.items()}, slo)
    with TemporaryDirectory() as directory:
        path = Path(directory, "openslo.yaml")
        path.write_text(yaml_text(*documents(before)))
        sections = import_files([path]).sections()
    after = config(sections["models"], sections.get("slo", {}))
    assert list(objectives_of(after)) == list(objectives_of(before))
