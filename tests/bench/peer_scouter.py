"""Scouter's `compute_drift` of a DataFrame in memory; runs in an environment of its own.

Arguments: columns, rows of the reference, rows of the window, repeats. Prints the best seconds and the PSI
of each column.
"""

import json
import sys
import time

import drift_data
from scouter import Drifter, PsiDriftConfig


def main() -> None:
    columns, reference_rows, rows, repeats = map(int, sys.argv[1:])
    reference, current = (
        drift_data.frame(columns, reference_rows, 0),
        drift_data.frame(columns, rows, 1),
    )
    drifter = Drifter()
    config = PsiDriftConfig(space="bench", name="bench", version="0.1.0")
    profile = drifter.create_drift_profile(reference, config)
    best = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        found = drifter.compute_drift(current, profile)
        best = min(best, time.perf_counter() - begun)
    print(json.dumps({"seconds": best, "psi": found.features}))


if __name__ == "__main__":
    main()
