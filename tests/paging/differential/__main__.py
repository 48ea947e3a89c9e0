"""The comparison at length: `python -m tests.paging.differential [--seeds 2 3 4] [--minutes N]`.

Each seed is some 340 scenarios and takes one to two minutes; with --minutes further seeds follow until the
time is over. Exits 1 if ours differed anywhere, twice, without a named difference.
"""

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.paging.differential.differences import Verdict, judge
from tests.paging.differential.running import Counts, by_arena, run_real, scenarios_of
from tests.paging.differential.scenario import Scenario

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.paging.differential", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--minutes", type=float, default=0.0)
    given = parser.parse_args(argv)
    end, failed = time.monotonic() + given.minutes * 60, False
    for seed in itertools.chain(given.seeds, itertools.count(max(given.seeds) + 1)):
        if seed not in given.seeds and time.monotonic() >= end:
            break
        verdicts = _verdicts(scenarios_of(seed, Counts()))
        if wrong := [v.scenario for v in verdicts if v.needed is None]:
            kept = [v for v in verdicts if v.needed is not None]
            verdicts = [*kept, *_verdicts(by_arena(wrong))]
        needed = Counter(name for v in verdicts for name in v.needed or ())
        print(f"seed {seed}: {len(verdicts)} scenarios, differences needed: {dict(needed)}", flush=True)
        for verdict in verdicts:
            if verdict.needed is None:
                failed = True
                print(f"{sorted(verdict.scenario.tags)} {verdict.left}", flush=True)
    return int(failed)


def _verdicts(arenas: Mapping[str, Sequence[Scenario]]) -> list[Verdict]:
    recordings = run_real(arenas)
    return [judge(s, recordings[s.name]) for some in arenas.values() for s in some]


if __name__ == "__main__":
    sys.exit(main())
