"""`python -m tests.bench [names...]`: measures all, or the modules that give the figures named."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.bench import canary, disk, fitting, memory, objectives, paging, pairs, queries, rates, recovery
from tests.bench.figures import OUTPUT, Figure, show, write

__all__ = ["BENCHES", "main"]


class Bench(NamedTuple):
    """Figures that are measured together."""

    names: Sequence[str]
    measure: Callable[[], list[Figure]]


BENCHES: Mapping[str, Bench] = {
    "queries": Bench(queries.NAMES, lambda: queries.measure(queries.Size())),
    "disk": Bench(disk.NAMES, lambda: disk.measure(disk.Size())),
    "rates": Bench(rates.NAMES, lambda: rates.measure(rates.Size())),
    "pairs": Bench(pairs.NAMES, lambda: pairs.measure(pairs.Size())),
    "objectives": Bench(objectives.NAMES, lambda: objectives.measure(objectives.Size())),
    "canary": Bench(canary.NAMES, lambda: canary.measure(canary.Size())),
    "paging": Bench(paging.NAMES, lambda: paging.measure(paging.Size())),
    "recovery": Bench(recovery.NAMES, lambda: recovery.measure(recovery.Size())),
    "fitting": Bench(fitting.NAMES, lambda: fitting.measure(fitting.Size())),
    "memory": Bench(memory.NAMES, lambda: memory.measure(memory.Size())),
}


def main(arguments: Sequence[str]) -> int:
    """Writes the file after each bench: a failing one takes no other with it. Returns the exit code."""
    known = {*BENCHES, *(name for bench in BENCHES.values() for name in bench.names)}
    if strange := [name for name in arguments if name not in known]:
        print(
            f"bench: there is no {', '.join(strange)}; there is {', '.join(sorted(known))}", file=sys.stderr
        )
        return 2
    held: list[dict[str, Any]] = []
    for name, bench in BENCHES.items():
        if not arguments or name in arguments or set(bench.names) & set(arguments):
            print(f"bench: {name}", file=sys.stderr, flush=True)
            held = write(bench.measure(), OUTPUT)
    show(held)
    return 0 if all(each["ok"] is not False for each in held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
