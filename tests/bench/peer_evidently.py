"""Evidently's DataDriftPreset, as it comes, on windows without a change; in an environment of its own.

Arguments: rows of a window, a budget in seconds. Prints how many windows it managed, and in how many any
column was said to have drifted.
"""

import json
import sys
import time

import drift_data
import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def frame(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    columns = {name: drift_data.draw(name, rows, rng) for name in drift_data.NAMES}
    return pd.DataFrame(
        {n: [f"c{int(v)}" for v in c] if n in drift_data.CATEGORICAL else c for n, c in columns.items()}
    )


def main() -> None:
    rows, budget_s = int(sys.argv[1]), float(sys.argv[2])
    kinds = DataDefinition(
        numerical_columns=list(drift_data.NUMERIC), categorical_columns=list(drift_data.CATEGORICAL)
    )
    windows = alarms = 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < budget_s:
        rng = np.random.default_rng((rows, windows))
        reference = Dataset.from_pandas(frame(drift_data.baseline_rows(rows), rng), kinds)
        current = Dataset.from_pandas(frame(rows, rng), kinds)
        found = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
        alarms += found[0]["value"]["count"] > 0
        windows += 1
    print(json.dumps({"windows": windows, "alarms": int(alarms)}))


if __name__ == "__main__":
    main()
