"""Pagers that are killed while alerts come and go: each trouble is one page, and ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paging.killing import PLACES, Counting, Pagers, kill_at_random
from tests.paging.providers import Reply
from tests.waiting import until


@pytest.fixture
def provider() -> Iterator[Counting]:
    with Counting() as found:
        yield found


@pytest.mark.parametrize("seed", [1])
def test_a_pager_killed_at_random_loses_and_doubles_nothing(
    tmp_path: Path, provider: Counting, seed: int
) -> None:
    with Pagers(f"sqlite:///{tmp_path}/p.db", provider, tmp_path) as pagers:
        kill_at_random(pagers, 6, seed)
        pagers.check()


@pytest.mark.parametrize("place", PLACES)
def test_what_came_before_a_crash_in_the_turn_that_takes_it_is_told(
    tmp_path: Path, provider: Counting, place: str
) -> None:
    with Pagers(f"sqlite:///{tmp_path}/p.db", provider, tmp_path) as pagers:
        pagers.fire("m")
        pagers.start(failpoint=f"{place}:1")
        until(pagers.died)
        assert not provider.opened
        pagers.start()
        until(lambda: provider.models == {"m"} and pagers.told())
        pagers.end("m")
        pagers.check()


@pytest.mark.postgres
def test_two_with_clocks_apart_send_one_page_though_one_dies_sending_it(
    tmp_path: Path, pg_url: str, provider: Counting
) -> None:
    with Pagers(pg_url, provider, tmp_path) as pagers:
        pagers.start("a", skew_ms=-2_500)
        until(lambda: pagers.is_ready("a"))
        pagers.start("b", skew_ms=2_500)
        until(lambda: pagers.is_ready("b"))
        for i in range(10):
            pagers.fire(f"m{i}")
        until(lambda: len(provider.opened) == 10 and pagers.told())

        def strike() -> Reply:
            pagers.signal("a", signal.SIGKILL)
            return Reply(drops=True)

        provider.after = strike
        pagers.fire("last")
        until(lambda: pagers.died("a"))
        provider.after = lambda: None
        for i in range(10):
            pagers.end(f"m{i}")
        pagers.end("last")
        pagers.check()
