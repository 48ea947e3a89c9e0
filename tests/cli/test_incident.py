"""`monitor incident ..` and `monitor audit log`, over incidents of a pager that has run."""

import json
from pathlib import Path

import pytest

from monitor.store.store import Store
from tests.cli.run import run
from tests.paging.incidents.test_incidents import Service, trouble


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    store = Store.open(url)
    service = Service(store)
    service.put(trouble())
    service.run(3_000)
    store.close()
    return url


def test_an_incident_is_listed_and_shown(url: str) -> None:
    listed = run("incident", "list", "--store", url)
    assert "Burn" in listed.out
    assert "risk" in listed.out
    (found,) = json.loads(run("incident", "list", "--store", url, "--format", "json").out)
    assert found["labels"] == {"model": "fraud", "objective": "availability"}
    shown = run("incident", "show", "1", "--store", url)
    assert "notified" in shown.out
    assert "team: first" in run("audit", "log", "--store", url).out
    moved = run("audit", "--last", "3", "--store", url)
    assert (moved.code, "`monitor audit log --last 3`" in moved.err) == (2, True)


def test_what_no_pager_takes_up_is_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.cli.incident._WAIT_S", 0.1)
    ran = run("incident", "ack", "1", "--as", "ana", "--store", url)
    assert (ran.code, ran.out) == (
        0,
        "incident 1: acknowledged; the pager takes it up once it runs: nothing answered so far\n",
    )
    store = Store.open(url)
    Service(store).run(3_000)
    store.close()
    assert "acknowledged by ana" in run("incident", "list", "--store", url).out


def test_a_postmortem_is_drafted(url: str, tmp_path: Path) -> None:
    path = tmp_path / "p.md"
    assert run("incident", "postmortem", "1", "-o", str(path), "--store", url).code == 0
    assert path.read_text().startswith("# Incident 1: Burn")


def test_an_incident_that_is_not_there_is_an_error(url: str) -> None:
    ran = run("incident", "show", "9", "--store", url)
    assert ran.code != 0
    assert "there is no incident 9" in ran.err
