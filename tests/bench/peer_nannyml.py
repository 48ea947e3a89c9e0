"""NannyML's univariate drift, as it comes, on windows without a change; in an environment of its own.

Arguments: rows of a window, a budget in seconds. Its thresholds are the mean and three deviations over the
reference's chunks, so it gets 50 chunks of the window's rows, of a million rows in all at most. Prints how
many windows it managed, and in how many any column raised an alert.
"""

import json
import sys
import time

import drift_data
import nannyml
import numpy as np
import pandas as pd


def frame(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    columns = {name: drift_data.draw(name, rows, rng) for name in drift_data.NAMES}
    return pd.DataFrame(
        {n: [f"c{int(v)}" for v in c] if n in drift_data.CATEGORICAL else c for n, c in columns.items()}
    )


def main() -> None:
    rows, budget_s = int(sys.argv[1]), float(sys.argv[2])
    windows = alarms = 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < budget_s:
        rng = np.random.default_rng((rows, windows))
        reference = frame(max(drift_data.baseline_rows(rows), min(50 * rows, 1_000_000)), rng)
        calculator = nannyml.UnivariateDriftCalculator(column_names=list(drift_data.NAMES), chunk_size=rows)
        calculator.fit(reference)
        found = calculator.calculate(frame(rows, rng)).filter(period="analysis").to_df()
        alarms += bool(found.xs("alert", axis=1, level=2).to_numpy(bool).any())
        windows += 1
    print(json.dumps({"windows": windows, "alarms": int(alarms)}))


if __name__ == "__main__":
    main()
