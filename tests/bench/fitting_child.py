"""Fits a baseline in a process of its own. Given: files. Answers seconds, rows and the peak in MiB."""

import time
from pathlib import Path

from monitor.baselines.fit import FitOptions, fit_files
from monitor.sli.drift_dispersion import dispersion
from tests.bench.children import arguments, peak_mib, tell


def main() -> None:
    files = [Path(name) for name in arguments()["files"]]
    begun = time.perf_counter()
    fitted = fit_files(files, FitOptions("bench"), dispersion)
    seconds = time.perf_counter() - begun
    tell({"rows": fitted.rows, "seconds": seconds, "peak_mib": peak_mib()})


if __name__ == "__main__":
    main()
