"""Raw columns to counts, for tests of drift; and raw columns of real data."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from monitor.profiles.bins import Bins, bin_column, fit
from monitor.records import Coded, Column, Ints
from monitor.sli.drift_shape import Shape, describe

__all__ = ["car_loan", "coded", "compare", "count", "elec2", "fitted", "tokens"]


def coded(values: Sequence[object]) -> Coded:
    """A column of text; None is null."""
    known = sorted({str(v) for v in values if v is not None})
    number = {name: i + 1 for i, name in enumerate(known)}
    codes = [0 if v is None else number[str(v)] for v in values]
    return Coded(np.array(codes, np.int32), [None, *known])


def count(bins: Sequence[Bins | None], columns: Sequence[Column]) -> Ints:
    """The counts (f, 256) of columns on bins."""
    table = [np.bincount(bin_column(b, c), minlength=256) for b, c in zip(bins, columns, strict=True)]
    return np.array(table, np.int64).reshape(len(bins), 256)


def fitted(reference: Mapping[str, Column]) -> dict[str, Bins | None]:
    return {name: fit([column], 240) for name, column in reference.items()}


def compare(reference: Mapping[str, Column], current: Mapping[str, Column]) -> tuple[Shape, Ints, Ints]:
    """Shape, reference counts and current counts on bins of the reference."""
    bins = fitted(reference)
    kinds = list(bins.values())
    return (
        describe(bins),
        count(kinds, list(reference.values())),
        count(kinds, [current[name] for name in bins]),
    )


def elec2(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "data" / "elec2" / "elec.csv.gz")


def car_loan(shared: Path, part: str) -> pd.DataFrame:
    """`part` is reference or analysis, or dq_reference, dq_analysis."""
    return pd.read_csv(shared / "data" / "nannyml" / f"synthetic_car_loan_{part}.csv.gz")


def tokens(shared: Path, service: str) -> pd.DataFrame:
    path = shared / "data" / "azure_llm_2023" / f"AzureLLMInferenceTrace_{service}.csv.gz"
    with gzip.open(path, "rt") as file:
        return pd.read_csv(file)
