"""The API: what it shows of models, partitions and dead letters, and that no question breaks it."""

import threading
from collections.abc import Callable

import pytest

from monitor.ingest.contract import json_schema
from monitor.ingest.label_contract import label_schema
from monitor.ingest.source import Lag
from monitor.job.report import JobStatus
from monitor.records import DeadLetter, Partition
from monitor.sli.catalogue import SLIS
from monitor.store import dead, names, ownership
from monitor.store.dead import Cap
from monitor.store.engine import writing
from monitor.store.names import SeriesKey
from monitor.store.tokens import Role
from tests.builders import NOW_MS
from tests.web.apps import Site

LETTERS = [
    DeadLetter(position=1, where="t[0]@1", reason="bad_json", detail="no JSON", payload=b'{"name": "Ann'),
    DeadLetter(position=2, where="t[0]@2", reason="missing_id", detail="no id", payload=b"\xff\x00"),
    DeadLetter(position=3, where="t[0]@3", reason="bad_json", detail="no JSON", payload=b"{"),
]


def keep_letters(site: Site) -> None:
    with writing(site.store.engine) as connection:
        dead.write(site.store, connection, Partition("t", 0), LETTERS, NOW_MS, Cap())


def test_models(site: Site) -> None:
    assert site.client.get("/api/v1/models").json() == []
    names.series_ids(site.store, [SeriesKey("fraud"), SeriesKey("churn", "2"), SeriesKey("fraud", "1")])
    assert site.client.get("/api/v1/models").json() == ["churn", "fraud"]


def test_the_catalogue(site: Site) -> None:
    shown = site.client.get("/api/v1/slis").json()
    assert [s["name"] for s in shown] == [s.name for s in SLIS]
    assert all(s["unit"] and s["meaning"] for s in shown)


def test_the_record_contract(site: Site) -> None:
    assert site.client.get("/api/v1/schema").json() == json_schema()
    assert site.client.get("/api/v1/schema?of=labels").json() == label_schema()
    assert site.client.get("/api/v1/schema?of=else").status_code in (400, 422)


def test_status_joins_what_runs_here_with_what_the_store_knows(site: Site) -> None:
    ownership.claim(site.store, Partition("t", 0), "here:1", NOW_MS - 5000)
    ownership.claim(site.store, Partition("t", 1), "there:2", NOW_MS - 5000)
    site.status = JobStatus(
        ready=True,
        problem=None,
        lags={Partition("t", 0): Lag(70, 100)},
        watermark_ms=NOW_MS - 1500,
        records=12,
        failed_partitions={Partition("t", 7): "the log no longer has offset 5"},
    )
    shown = site.client.get("/api/v1/status").json()
    assert (shown["ready"], shown["records"], shown["watermark_delay_s"]) == (True, 12, 1.5)
    here, there, failed = shown["partitions"]
    assert (here["partition"], here["here"], here["behind"], here["owner"]) == (0, True, 30, "here:1")
    assert (there["partition"], there["here"], there["behind"], there["owner"]) == (1, False, None, "there:2")
    assert (failed["partition"], failed["problem"]) == (7, "the log no longer has offset 5")
    assert here["updated"].endswith("Z")


def test_dead_letters_by_pages_and_reason(site: Site) -> None:
    keep_letters(site)
    everything = site.client.get("/api/v1/dead-letters").json()
    assert [each["place"] for each in everything] == ["t[0]@1", "t[0]@2", "t[0]@3"]
    page = site.client.get("/api/v1/dead-letters", params={"limit": 2, "after": everything[0]["id"]}).json()
    assert page == everything[1:]
    chosen = site.client.get("/api/v1/dead-letters", params={"reason": "bad_json"}).json()
    assert [each["position"] for each in chosen] == [1, 3]
    assert site.client.get("/api/v1/dead-letters", params={"topic": "u"}).json() == []


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.ADMIN])
def test_a_responder_sees_payloads(public: Site, role: Role) -> None:
    keep_letters(public)
    shown = public.holding(role).get("/api/v1/dead-letters").json()
    assert shown[0]["payload"] == '{"name": "Ann'
    assert shown[1]["payload_base64"] == "/wA="


def test_a_viewer_sees_place_and_reason_only(public: Site) -> None:
    keep_letters(public)
    answer = public.holding(Role.VIEWER).get("/api/v1/dead-letters")
    assert "Ann" not in answer.text
    assert "payload" not in answer.text
    assert answer.json()[0]["reason"] == "bad_json"


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "x"}, {"after": "-1"}, {"after": str(2**70)}])
def test_parameters_that_make_no_sense_are_refused(site: Site, params: dict[str, str]) -> None:
    answer = site.client.get("/api/v1/dead-letters", params=params)
    assert answer.status_code == 400
    assert next(iter(params)) in answer.json()["error"]


def test_health_and_readiness(site: Site) -> None:
    assert site.client.get("/healthz").json() == {"status": "ok"}
    assert site.client.get("/readyz").json() == {"status": "ready"}
    site.status = JobStatus(ready=False, problem="the store did not answer")
    answer = site.client.get("/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "the store did not answer")
    assert site.client.get("/healthz").status_code == 200


def test_metrics_in_both_formats(site: Site) -> None:
    plain = site.client.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    opened = site.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert opened.headers["content-type"].startswith("application/openmetrics-text")
    assert opened.text.endswith("# EOF\n")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/metrics", 405)])
def test_errors_are_json(site: Site, method: str, path: str, status: int) -> None:
    answer = site.client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_a_slow_query_is_cut_short(make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(names, "models", lambda store: done.wait(10))
    site = make_site(request_timeout_s=0.2)
    assert site.client.get("/api/v1/models").status_code == 504
    done.set()


def test_too_many_at_once_are_told_to_come_back(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(names, "models", lambda store: done.wait(20) and [])
    site = make_site()
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(site.calling().get("/api/v1/models").status_code))
        for _ in range(70)
    ]
    for thread in threads:
        thread.start()
    while len(statuses) < 6:
        done.wait(0.02)
    assert set(statuses) == {503}
    done.set()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 503]
