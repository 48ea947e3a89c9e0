"""The schema contract as YAML: printed, edited, read back; mistakes have a line."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.baselines.contract_yaml import read_contract, render_contract
from monitor.errors import ConfigError
from monitor.profiles.bins import Bins
from monitor.profiles.feature_contract import FeatureContract, ValueType
from monitor.profiles.features import Feature

AMOUNT = Feature(1, Bins(edges=np.array([1.0])), FeatureContract(ValueType.NUMBER, True, 0.0, 9.5, None, 0.0))
PLAN = Feature(2, Bins(categories=("a", "b")), FeatureContract(ValueType.TEXT, categories=("a", "b")))
KNOWN = {"amount": AMOUNT, "plan": PLAN}

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
bounds = st.none() | st.floats(-1e300, 1e300)


@st.composite
def contracts(draw: st.DrawFn) -> FeatureContract:
    kind = draw(st.sampled_from(ValueType))
    low, high = sorted((draw(st.floats(-1e300, 1e300)), draw(st.floats(-1e300, 1e300))))
    return FeatureContract(
        kind,
        draw(st.booleans()),
        draw(st.sampled_from((None, low))) if kind.numeric else None,
        draw(st.sampled_from((None, high))) if kind.numeric else None,
        None if kind.numeric else draw(st.none() | st.lists(names, max_size=4, unique=True).map(tuple)),
        draw(st.floats(0, 1)),
    )


@given(st.dictionaries(names, contracts(), max_size=4))
def test_what_is_printed_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, held: Mapping[str, FeatureContract]
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.yaml"
    features = {name: Feature(i, None, contract) for i, (name, contract) in enumerate(held.items(), 1)}
    path.write_text(render_contract("m", 1, features), encoding="utf-8", newline="")
    assert read_contract(path) == held


def test_what_people_see() -> None:
    text = """
  "amount":
    type: number
    required: true
    range: [0.0, 9.5]
    null_share_max: 0.0
  "plan":
    type: text
    required: false
    categories: ["a", "b"]
    null_share_max: 1.0
"""
    assert render_contract("fraud", 2, KNOWN).split("features:")[1] == text


MISTAKES = {
    "no features": ("amount: {}\n", "c.yaml:1: must have the key features"),
    "a type that is none": (
        "type: number",
        "type: float",
        "c.yaml:14: features.amount.type: 'float' is no type",
    ),
    "an unknown key": (
        "range:",
        "rnage:",
        "c.yaml:16: features.amount.rnage: no such key here; did you mean range?",
    ),
    "a range upside down": (
        "[0.0, 9.5]",
        "[9.5, 0]",
        "features.amount.range: the lowest is above the highest",
    ),
    "a range of one": (
        "[0.0, 9.5]",
        "[9.5]",
        "features.amount.range: must be [lowest, highest]; null is open",
    ),
    "a bound that is no number": ("[0.0,", "[low,", "features.amount.range: 'low' is no number"),
    "a flag that is none": ("required: true", "required: maybe", "must be true or false, not 'maybe'"),
    "a share above one": ("null_share_max: 1.0", "null_share_max: 7", "must be a share from 0 to 1"),
    "a category twice": ('["a", "b"]', '["a", "a"]', "features.plan.categories: names one twice"),
    "a feature that the baseline lacks": ('"plan"', '"plam"', "has no such feature; did you mean plan?"),
    "a type that its bins are not of": ("type: text", "type: number", "its bins are of texts; fit anew"),
    "a feature that is nothing": (
        '"plan":\n',
        '"plan": 3\n  x:\n',
        "features.plan: must be a mapping with keys",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_says_what_is_wrong(tmp_path: Path, case: str) -> None:
    *change, said = MISTAKES[case]
    text = change[0] if len(change) == 1 else render_contract("fraud", 1, KNOWN).replace(*change)
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_contract(tmp_path / "c.yaml", KNOWN)
    assert said in str(raised.value)
