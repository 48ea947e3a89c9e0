"""Who may ask what: loopback and beyond, tokens and roles, names and origins."""

from collections.abc import Callable

import httpx
import pytest

from monitor.config.model import WebConfig
from monitor.store import tokens
from monitor.store.tokens import Role
from monitor.web.settings import from_config, is_loopback
from tests.builders import NOW_MS
from tests.waiting import until
from tests.web.apps import Site

VIEWED = [
    "/metrics",
    "/api/v1/models",
    "/api/v1/slis",
    "/api/v1/status",
    "/api/v1/schema",
    "/api/v1/dead-letters",
]


def test_on_loopback_nobody_needs_a_token(site: Site) -> None:
    for path in ["/healthz", "/readyz", *VIEWED]:
        assert site.client.get(path).status_code == 200, path
    assert site.client.post("/v1/inferences", content=b"{}").status_code == 202


def test_beyond_loopback_only_probes_need_none(public: Site) -> None:
    for path in ["/healthz", "/readyz"]:
        assert public.calling().get(path).status_code == 200
    for path in [*VIEWED, "/api/v1/query", "/api/v1/openapi.json", "/docs", "/nowhere", "/healthz/x"]:
        answer = public.calling().get(path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert public.calling().post("/v1/inferences", content=b"{}").status_code == 401
    assert public.log.lines == []


def test_required_tokens_hold_on_loopback_too(make_site: Callable[..., Site]) -> None:
    site = make_site(require_tokens=True)
    holder = site.holding(Role.VIEWER)
    assert site.client.get("/metrics").status_code == 401
    assert site.client.get("/metrics", headers={"Authorization": "Bearer mon_x"}).status_code == 401
    assert holder.get("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Basic mon_x", "Bearer mon_wrong", "mon_x", "Bearer \xe9"])
def test_what_is_no_token_is_refused(public: Site, header: str) -> None:
    answer = public.calling().get("/metrics", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("role", "reads", "posts"),
    [
        (Role.VIEWER, 200, 403),
        (Role.INGEST, 403, 202),
        (Role.RESPONDER, 200, 403),
        (Role.ADMIN, 200, 202),
    ],
)
def test_what_each_role_may(public: Site, role: Role, reads: int, posts: int) -> None:
    client = public.holding(role)
    assert {client.get(path).status_code for path in VIEWED} == {reads}
    assert client.post("/v1/inferences", content=b"{}").status_code == posts


def test_a_revoked_token_is_refused(public: Site) -> None:
    client = public.holding(Role.VIEWER)
    tokens.revoke(public.store, "test-viewer", NOW_MS)
    assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize("name", ["localhost", "localhost:8080", "127.0.0.1:9", "[::1]:8080", "LOCALHOST"])
def test_names_of_this_machine(site: Site, name: str) -> None:
    assert site.calling(name).get("/api/v1/models").status_code == 200


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8080", "localhost.evil.example", "", "127.0.0.1.evil"]
)
def test_a_page_that_rebinds_its_name_is_refused(site: Site, name: str) -> None:
    assert site.calling(name).get("/api/v1/models").status_code in (400, 421)


def test_a_configured_name_is_ours(make_site: Callable[..., Site]) -> None:
    site = make_site(hosts=("monitor.internal",))
    assert site.calling("monitor.internal:80").get("/api/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("http://evil.example", 403), ("null", 403), ("http://localhost:8080", 202)]
)
def test_a_page_of_another_origin_can_not_post(site: Site, origin: str, status: int) -> None:
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    assert site.client.post("/v1/inferences", content=b"{}", headers=headers).status_code == status


def test_refusals_are_counted(public: Site) -> None:
    public.calling().get("/metrics")
    public.holding(Role.INGEST).get("/metrics")
    # A request is counted when its answer is out.
    last = b'monitor_http_rejected_total{reason="role"} 1.0'
    until(lambda: last in public.metrics.exposition("")[0])
    text = public.metrics.exposition("")[0]
    assert b'monitor_http_rejected_total{reason="token"} 1.0' in text
    assert b'monitor_http_rejected_total{reason="role"} 1.0' in text
    assert b'monitor_http_requests_total{method="GET",route="/metrics",status="403"} 1.0' in text


def test_rate_is_limited_for_each_client(make_site: Callable[..., Site]) -> None:
    site = make_site(host="0.0.0.0", rate_per_s=0.5, burst=3)
    one, other = site.holding(Role.VIEWER), site.holding(Role.ADMIN)
    statuses = [one.get("/api/v1/slis").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = one.get("/api/v1/slis")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3
    assert other.get("/api/v1/slis").status_code == 200


def test_guessing_is_limited_and_leaves_probes_alone(make_site: Callable[..., Site]) -> None:
    site = make_site(host="0.0.0.0", rate_per_s=0.5, burst=3)
    client = site.calling()
    got = [client.get("/metrics", headers={"Authorization": f"Bearer mon_{i}"}).status_code for i in range(6)]
    assert got == [401, 401, 401, 429, 429, 429]
    assert client.get("/healthz").status_code == 200


def test_an_id_goes_through_or_is_made(site: Site) -> None:
    def id_of(**headers: str) -> str:
        return site.client.get("/healthz", headers=headers).headers["X-Request-ID"]

    assert id_of(**{"X-Request-ID": "abc-123"}) == "abc-123"
    assert id_of() != id_of()
    for odd in ["x" * 65, "a b", "a\tb", ""]:
        assert id_of(**{"X-Request-ID": odd}) != odd


def test_secrets_stay_out_of_the_log(public: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        client: httpx.Client = public.holding(Role.VIEWER)
        client.get("/metrics")
        public.calling().get("/metrics", headers={"Authorization": "Bearer mon_wrongsecret"})
        public.calling().get("/api/v1/query?token=mon_inquery")
    everything = "\n".join(str(vars(r)) for r in caplog.records if r.name.startswith("monitor"))
    assert "test-viewer" in everything
    assert str(client.headers["Authorization"]).removeprefix("Bearer ") not in everything
    assert "mon_wrongsecret" not in everything
    assert "mon_inquery" not in everything


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "monitor.example", "")),
    ],
)
def test_what_is_loopback(host: str, inside: bool) -> None:
    assert is_loopback(host) is inside


def test_a_configuration_can_ask_for_tokens_and_name_the_server() -> None:
    settings = from_config(WebConfig(require_tokens=True, hosts=("monitor.internal",)))
    assert settings.needs_tokens
    assert settings.hosts == ("monitor.internal",)
    assert not from_config(WebConfig()).needs_tokens
