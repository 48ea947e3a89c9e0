"""`monitor dead-letters list`: what it says of what was never counted."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.store import Store
from monitor.store.schema import counts
from tests.cli.run import run


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({}, "in all: none; 0 of them dropped at the cap\n"),
        (
            {("dead_letter", "bad_json"): 3, ("dead_letter", "bad_ts"): 1, ("dead_letter_dropped", "cap"): 2},
            "in all: 3 bad_json, 1 bad_ts; 2 of them dropped at the cap\n",
        ),
        (
            {("crowded_out", "prediction"): 40, ("orphan_label", "expired"): 7},
            "in all: none; 0 of them dropped at the cap\n"
            "never joined: 40 predictions and 0 labels whose keys have more than are kept "
            "(256 predictions, 64 labels)\n"
            "never joined: 7 labels for which no prediction came within the horizon\n",
        ),
    ],
)
def test_the_summary_names_all_that_was_not_counted(
    tmp_path: Path, counted: dict[tuple[str, str], int], said: str
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    store = Store.open(url)
    with store.engine.begin() as connection:
        for (kind, name), n in counted.items():
            row = {"writer": 1, "kind": kind, "name": name, "hour_s": 0, "n": n}
            connection.execute(sa.insert(counts), row)
    store.close()
    ran = run("dead-letters", "list", "--store", url)
    assert (ran.code, ran.err) == (0, said)
