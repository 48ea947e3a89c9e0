"""Links in messages, over HTTP: looking changes nothing, posting acknowledges, a bad one says so."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from monitor.errors import StoreBusy
from monitor.paging.links.token import Link, sign
from monitor.store.links import link_key
from monitor.store.paging import read_inbox
from monitor.web.paging_site import PagingSite
from tests.builders import NOW_MS
from tests.paging.collector import collecting
from tests.paging.incidents.test_incidents import SETTINGS, Service, trouble
from tests.waiting import until
from tests.web.apps import Site
from tests.web.pager_sites import RunningPager
from tests.web.test_incidents import paging
from tests.web.test_request_log import Lines

FORM = {"name": "Ann"}


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A server that the network can reach, whose incident 1 was paged."""
    site = make_site(host="0.0.0.0")
    service = Service(site.store)
    service.put(trouble("<b>Burn</b>"))
    service.run(3_000)
    return site


@pytest.fixture
def client(site: Site) -> httpx.Client:
    """Somebody without a token."""
    pager = PagingSite(settings=lambda: SETTINGS, original=lambda: "", started_ms=NOW_MS)
    return site.paging(pager)


def link(site: Site, incident: int = 1, valid_s: int = 3600, nonce: bytes = bytes(12)) -> str:
    about = Link(incident, "risk-primary", NOW_MS // 1000 + valid_s, nonce)
    return f"/ack/{sign(link_key(site.store), about)}"


def test_looking_changes_nothing_and_needs_no_token(site: Site, client: httpx.Client) -> None:
    path = link(site)
    assert client.get("/api/v1/incidents").status_code == 401
    for _ in range(3):
        answer = client.get(path)
        assert client.head(path).status_code == answer.status_code == 200
    assert "<form method=" in answer.text
    assert "&lt;b&gt;Burn&lt;/b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert read_inbox(site.store, 9) == []


def test_the_page_is_not_kept_framed_or_told_of(site: Site, client: httpx.Client) -> None:
    headers = client.get(link(site)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_posting_acknowledges_once(site: Site, client: httpx.Client) -> None:
    path = link(site)
    # A browser that says nothing of where it was has no origin either.
    with paging(site):
        answer = client.post(path, data=FORM, headers={"Origin": "null"})
    assert (answer.status_code, "you have it" in answer.text) == (200, True)
    assert "Ann via link to risk-primary" in answer.text
    for again in (client.post(path, data=FORM), client.get(path)):
        assert again.status_code == 410
        assert "Acknowledged by Ann via link to risk-primary" in again.text
    other = link(site, nonce=b"other msg 12")
    assert [client.get(other).status_code, client.post(other, data=FORM).status_code] == [200, 409]
    assert "Somebody has it already" in client.get(other).text


def test_while_no_pager_runs_it_is_kept(
    site: Site, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.web.acknowledging._WAIT_S", 0.1)
    answer = client.post(link(site), data=FORM)
    assert (answer.status_code, "has not taken it up yet" in answer.text) == (202, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"name=", "Say who you are"),
        (b"", "Say who you are"),
        (b"\xff", "Say who you are"),
        (b"name=" + b"a" * 100, "at most 80"),
        (b"name=" + b"a" * 5000, "too long"),
        (b"name=a%00b", "printable"),
    ],
)
def test_who_it_is_must_be_said(site: Site, client: httpx.Client, body: bytes, words: str) -> None:
    answer = client.post(link(site), content=body)
    assert answer.status_code == 400
    assert words in answer.text
    assert "<form" in answer.text
    assert read_inbox(site.store, 9) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_bad_link_says_what_is_wrong(site: Site, client: httpx.Client, method: str) -> None:
    good = link(site)
    for path, status, words in (
        ("/ack/nonsense", 404, "nothing here"),
        (link(site, incident=7), 404, "nothing here"),
        (link(site, valid_s=-1), 410, "expired"),
        (good[:-3] + ("B" if good[-3] != "B" else "C") + good[-2:], 403, "not valid"),
    ):
        answer = client.request(method, path, data=FORM if method == "POST" else None)
        assert (answer.status_code, words in answer.text) == (status, True), path


def test_bad_tries_are_bounded_and_lock_nobody_out(site: Site, client: httpx.Client) -> None:
    tries = [client.get("/ack/guess").status_code for _ in range(25)]
    assert tries == [404] * 20 + [429] * 5
    assert client.get(link(site)).status_code == 200


def test_no_log_has_a_link(site: Site, client: httpx.Client) -> None:
    """Whatever is logged reaches the root; httpx, the caller here, says there what it asks."""
    path, lines, root = link(site), Lines(), logging.getLogger()
    root.addHandler(lines)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        client.get(path)
        client.post(path, data={"name": ""})
        client.get("/ack/guess/more")
        until(lambda: sum(r.getMessage() == "request" for r, _ in lines.seen) >= 3)
    finally:
        root.removeHandler(lines)
        root.setLevel(level)
    ours = [r for r, _ in lines.seen if not r.name.startswith(("httpx", "httpcore"))]
    assert {vars(r)["path"] for r in ours if r.getMessage() == "request"} == {"/ack/***"}
    assert not any(path[5:] in str(vars(r)) + r.getMessage() for r in ours)


def test_a_store_that_is_away_is_a_page_too(
    site: Site, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(site)

    def away(*_: object) -> None:
        raise StoreBusy("away")

    monkeypatch.setattr("monitor.paging.links.following.read_incident", away)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Try again" in answer.text


def test_only_the_link_itself_needs_no_token(site: Site, client: httpx.Client) -> None:
    for path in ("/ack", "/ack/", "/ack/a/b", "/ack/../api/v1/incidents"):
        assert client.get(path, follow_redirects=True).status_code in (401, 404), path
    assert client.get("/ack/a/b").status_code == 401


def test_from_the_page_to_the_end_of_its_repeats(tmp_path: Path) -> None:
    """A pager, its webhook, and somebody who follows the link that it carries."""
    with collecting() as hook:
        document = {
            "route": {
                "receiver": "risk-primary",
                "group_wait": "0s",
                "group_interval": "200ms",
                "repeat_interval": "400ms",
            },
            "receivers": [{"name": "risk-primary", "webhook_configs": [{"url": hook.url}]}],
        }
        pager = RunningPager(tmp_path, document)
        try:
            alert = {"labels": {"alertname": "Burn", "model": "fraud", "severity": "page"}}
            httpx.post(f"{pager.url}/api/v2/alerts", json=[alert]).raise_for_status()
            until(lambda: len(hook.posted) >= 2)
            first = hook.posted[0].body
            assert first["incident"] == 1
            url = first["links"]["acknowledge"]
            assert re.fullmatch(r"http://pager\.example/ack/[A-Za-z0-9_-]{60,}", url)
            here = url.replace("http://pager.example", pager.url)
            before = len(hook.posted)
            assert httpx.get(here).status_code == 200
            until(lambda: len(hook.posted) > before)
            assert httpx.post(here, data=FORM).status_code == 200
            told = len(hook.posted)
            timeline = httpx.get(f"{pager.url}/api/v1/incidents/1").json()
            assert timeline["acknowledged_by"] == "Ann via link to risk-primary"
            audit = httpx.get(f"{pager.url}/api/v1/audit").json()
            assert [e["who"] for e in audit if e["kind"] == "acknowledged"] == [timeline["acknowledged_by"]]
            # Another group's page takes longer than a repeat of this one would.
            for name in ("Other", "Third"):
                seen = len(hook.posted)
                httpx.post(f"{pager.url}/api/v2/alerts", json=[{"labels": {"alertname": name}}])
                until(lambda seen=seen: len(hook.posted) > seen)
            assert all(len(p.body["alerts"]) > 1 for p in hook.posted[told + 1 :])
        finally:
            pager.close()
