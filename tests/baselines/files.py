"""Files of rows to fit, in each format."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zstandard

from monitor.baselines.fit import FitOptions, Fitted, fit_files
from monitor.records import Floats, Ints
from monitor.store import Store, fits
from monitor.store.baselines import Reference, reference

__all__ = ["FORMATS", "alike", "fitted", "kept", "write"]

FORMATS = ("csv", "csv.gz", "csv.zst", "parquet", "jsonl", "jsonl.gz", "jsonl.zst")


def write(path: Path, rows: pd.DataFrame) -> Path:
    """Writes the rows as the name says."""
    if path.suffix == ".parquet":
        rows.to_parquet(path)
        return path
    if ".csv" in path.name:
        text = rows.to_csv(index=False)
    else:
        records: Sequence[Mapping[str, Any]] = json.loads(rows.to_json(orient="records", double_precision=15))
        text = "".join(json.dumps(r) + "\n" for r in records)
    data = text.encode()
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(data))
    return path


def alike(counts: Ints) -> Floats:
    """A dispersion of 1 for every feature."""
    return np.ones(counts.shape[1])


def fitted(*paths: Path, **options: Any) -> Fitted:
    """The files' fit."""
    return fit_files(paths, FitOptions(**{"model": "m", "author": "ann", **options}), alike)


def kept(store: Store, fit: Fitted) -> Reference:
    """The fit as the store gives it back."""
    found = reference(store, fits.create(store, fit.new, 0, None).id)
    assert found is not None
    return found
