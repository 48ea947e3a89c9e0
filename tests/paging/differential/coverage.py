"""Which features the scenarios have together, two by two."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from rich.table import Table

from tests.paging.differential.scenario import Scenario

__all__ = ["FEATURES", "missing_pairs", "pairs", "table"]

FEATURES = (
    *("grouped", "ungrouped", "by all labels", "nested", "several integrations"),
    *("ends not wanted", "list cut", "repeat", "ends", "times out", "fires again", "annotations change"),
    *("old start", "silence", "silence expired", "inhibit", "inhibit both sides", "mute", "active"),
    *("server error", "refused", "terminated", "killed", "reloaded"),
)
# Of each of these a scenario has one, for they contradict each other or need a clock or an Alertmanager of
# their own.
_APART: Sequence[frozenset[str]] = (
    frozenset(("grouped", "ungrouped", "by all labels")),
    frozenset(("mute", "terminated", "killed", "reloaded")),
    frozenset(("active", "terminated", "killed", "reloaded")),
    frozenset(("server error", "refused")),
    # A flush at once and what inhibits or restarts would be a race in the real one.
    frozenset(("old start", "inhibit")),
    frozenset(("old start", "inhibit both sides")),
    *(frozenset(("old start", moment)) for moment in ("terminated", "killed", "reloaded")),
)


def pairs(scenarios: Iterable[Scenario]) -> Counter[frozenset[str]]:
    """How many scenarios have both of two features."""
    found: Counter[frozenset[str]] = Counter()
    for scenario in scenarios:
        some = features(scenario)
        found.update(frozenset(pair) for pair in combinations(some, 2))
        found.update(frozenset((one,)) for one in some)
    return found


def features(scenario: Scenario) -> list[str]:
    """Those of a scenario."""
    moment = {scenario.moment.kind.value} if scenario.moment is not None else set()
    return [name for name in FEATURES if name in scenario.tags | moment]


def missing_pairs(found: Mapping[frozenset[str], int]) -> list[str]:
    """The pairs that can go together and don't in any scenario."""
    every = [frozenset(pair) for pair in combinations(FEATURES, 2)]
    possible = [pair for pair in every if not any(pair <= apart for apart in _APART)]
    return [" x ".join(sorted(pair)) for pair in possible if not found.get(pair)]


def table(found: Mapping[frozenset[str], int]) -> Table:
    """Numbers of scenarios; on the diagonal those with the one feature."""
    shown = Table("scenarios with both", *(str(i + 1) for i in range(len(FEATURES))), padding=(0, 0))
    for i, row in enumerate(FEATURES):
        cells = []
        for j, column in enumerate(FEATURES):
            pair = frozenset((row, column))
            apart = len(pair) == 2 and any(pair <= some for some in _APART)
            cells.append("" if j > i else "-" if apart else str(found.get(pair, 0)))
        shown.add_row(f"{i + 1} {row}", *cells)
    return shown
