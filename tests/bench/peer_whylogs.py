"""whylogs over the measured records; runs in an environment of its own, of which it imports nothing of ours.

Arguments: a file of JSON lines, "rows" or "frames", how many records. Prints the seconds as JSON:
`seconds` with the decoding of the lines by orjson, `ready_seconds` of the tracking alone.
"""

import json
import sys
import time

import orjson
import pandas as pd
from whylogs.core import DatasetProfile

_FRAME = 20_000


def main() -> None:
    path, how, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path, "rb") as file:
        lines = file.read().splitlines()[:records]
    profile = DatasetProfile()
    begun = time.perf_counter()
    rows = [orjson.loads(line)["features"] for line in lines]
    if how == "rows":
        ready = time.perf_counter()
        for row in rows:
            profile.track(row)
    else:
        frames = [pd.DataFrame(rows[at : at + _FRAME]) for at in range(0, len(rows), _FRAME)]
        ready = time.perf_counter()
        for frame in frames:
            profile.track(frame)
    end = time.perf_counter()
    assert profile.view().get_column("amount").get_metric("counts").n.value == len(lines)
    print(json.dumps({"records": len(lines), "seconds": end - begun, "ready_seconds": end - ready}))


if __name__ == "__main__":
    main()
