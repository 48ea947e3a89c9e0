"""Fits a baseline in a process of its own. Given: files. Answers seconds, rows and the peak in MiB."""

import resource
import time
from pathlib import Path

from monitor.baselines.fit import FitOptions, fit_files
from monitor.sli.drift_dispersion import dispersion
from tests.bench.children import arguments, tell


def main() -> None:
    files = [Path(name) for name in arguments()["files"]]
    begun = time.perf_counter()
    fitted = fit_files(files, FitOptions("bench"), dispersion)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tell({"rows": fitted.rows, "seconds": seconds, "peak_mib": peak})


if __name__ == "__main__":
    main()
