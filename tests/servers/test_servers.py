"""The harness itself: every server starts, works, keeps its data when it comes back, and leaves no trace."""

import http.server
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.conftest import raise_first, server_or_skip
from tests.servers import (
    Kafka,
    Postgres,
    PostgresConfig,
    Prometheus,
    PrometheusConfig,
    ServerFailed,
    ServerMissing,
)
from tests.servers.kafka_security import MECHANISMS, unsecured_token
from tests.servers.prometheus import promtool
from tests.servers.server import wait_until

READ_TIMEOUT_S = 30.0


WAYS_IN = [
    ("PLAINTEXT", None),
    ("SSL", None),
    *((protocol, mechanism) for protocol in ("SASL_PLAINTEXT", "SASL_SSL") for mechanism in MECHANISMS),
]


def read(client: dict[str, object], topic: str, count: int) -> list[tuple[int, int, bytes | None]]:
    """Return (partition, timestamp in ms, value) of the first `count` records of a topic as they came."""
    consumer = Consumer({**client, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        records = consumer.consume(count, READ_TIMEOUT_S)
        return [(each.partition(), each.timestamp()[1], each.value()) for each in records]
    finally:
        consumer.close()


class TestKafka:
    def test_records_come_back_with_partition_and_timestamp(
        self, kafka: Kafka, topic: Callable[..., str]
    ) -> None:
        name = topic(partitions=2)
        written = kafka.produce(
            name, [b"a", "b", None], partition=[0, 1, 1], timestamps_ms=[1_000, 2_000, 1_700_000_000_000]
        )
        assert written == 3
        expected = [(0, 1_000, b"a"), (1, 2_000, b"b"), (1, 1_700_000_000_000, None)]
        assert sorted(read(kafka.client_config(), name, 3)) == expected
        assert kafka.end_offsets(name) == {0: 1, 1: 2}

    def test_topic_settings_reach_the_broker(self, kafka: Kafka, topic: Callable[..., str]) -> None:
        name = topic(max_message_bytes=1_000)
        with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
            kafka.produce(name, [b"x" * 2_000])

    def test_a_topic_is_not_made_by_writing_to_it(self, kafka: Kafka) -> None:
        with pytest.raises(KafkaException, match="UNKNOWN_TOPIC"):
            kafka.produce("nobody-made-this", [b"x"], client={"topic.metadata.propagation.max.ms": 0})

    def test_records_can_be_deleted_as_retention_would(self, kafka: Kafka, topic: Callable[..., str]) -> None:
        name = topic()
        kafka.produce(name, [b"old", b"new"], partition=0)
        kafka.delete_records(name, 0, before_offset=1)
        assert [value for _, _, value in read(kafka.client_config(), name, 1)] == [b"new"]

    @pytest.mark.parametrize(("protocol", "mechanism"), WAYS_IN)
    def test_each_listener_takes_and_gives_records(
        self, kafka: Kafka, topic: Callable[..., str], protocol: str, mechanism: str | None
    ) -> None:
        name = topic()
        config = kafka.client_config(protocol, mechanism)
        kafka.produce(name, [b"secret"], client=config)
        assert [value for _, _, value in read(config, name, 1)] == [b"secret"]

    def test_a_client_may_show_a_certificate(self, kafka: Kafka, topic: Callable[..., str]) -> None:
        name = topic()
        config = kafka.client_config("SSL", certificate=kafka.certificates.client)
        assert kafka.produce(name, [b"x"], client=config) == 1

    def test_a_token_of_the_clients_own_making_is_taken(
        self, kafka: Kafka, topic: Callable[..., str]
    ) -> None:
        name = topic()
        config = kafka.client_config("SASL_SSL", "OAUTHBEARER")
        del config["enable.sasl.oauthbearer.unsecure.jwt"]
        config["oauth_cb"] = lambda _: unsecured_token()
        assert kafka.produce(name, [b"x"], client=config) == 1

    @pytest.mark.parametrize(
        ("protocol", "mechanism", "change", "reason"),
        [
            ("SASL_PLAINTEXT", "PLAIN", {"sasl.password": "wrong"}, KafkaError._AUTHENTICATION),
            ("SASL_SSL", "SCRAM-SHA-256", {"sasl.password": "wrong"}, KafkaError._AUTHENTICATION),
            ("SSL", None, {"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"}, KafkaError._SSL),
        ],
    )
    def test_a_listener_refuses_who_may_not_come_in(
        self, kafka: Kafka, protocol: str, mechanism: str | None, change: dict[str, str], reason: int
    ) -> None:
        seen: list[int] = []
        config = kafka.client_config(protocol, mechanism) | change | {"log_level": 0}
        admin = AdminClient({**config, "error_cb": lambda error: seen.append(error.code())})
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=2)
        admin.poll(1)
        assert reason in seen

    @pytest.mark.parametrize("end", [Kafka.stop, Kafka.kill])
    def test_a_broker_that_comes_back_has_its_records_and_commits(
        self, kafka: Kafka, topic: Callable[..., str], end: Callable[[Kafka], None]
    ) -> None:
        name = topic(partitions=2)
        kafka.produce(name, (str(n) for n in range(1_000)), partition=(n % 2 for n in range(1_000)))
        commit(kafka.bootstrap, name, partition=0, offset=7)

        end(kafka)
        assert not kafka.running
        kafka.start()

        assert kafka.end_offsets(name) == {0: 500, 1: 500}
        assert committed(kafka.bootstrap, name, partition=0) == 7


def commit(bootstrap: str, group: str, partition: int, offset: int) -> None:
    """Commit an offset of topic `group` for the group of the same name."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(group, partition, offset)], asynchronous=False)
    finally:
        consumer.close()


def committed(bootstrap: str, group: str, partition: int) -> int:
    """Return what `commit` wrote."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        (found,) = consumer.committed([TopicPartition(group, partition)], READ_TIMEOUT_S)
        return int(found.offset)
    finally:
        consumer.close()


class TestPostgres:
    def test_each_test_has_an_empty_database(self, pg_url: str) -> None:
        with psycopg.connect(plain(pg_url)) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchone()
        assert tables == (0,)

    @pytest.mark.parametrize("end", [Postgres.stop, Postgres.kill])
    def test_a_server_that_comes_back_has_what_was_committed(
        self, postgres: Postgres, pg_url: str, end: Callable[[Postgres], None]
    ) -> None:
        with psycopg.connect(plain(pg_url)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        open_session = psycopg.connect(plain(pg_url))
        open_session.execute("INSERT INTO kept VALUES (0)")

        end(postgres)
        assert not postgres.running
        open_session.close()
        postgres.start()

        with psycopg.connect(plain(pg_url)) as connection:
            assert connection.execute("SELECT count(*), min(n) FROM kept").fetchone() == (1000, 1)

    def test_a_wrong_setting_is_told_with_the_log(self) -> None:
        server = server_or_skip(lambda: Postgres(PostgresConfig(settings=(("no_such_setting", "1"),))))
        with pytest.raises(ServerFailed, match="ended while starting") as failure, server:
            pass
        assert "no_such_setting" in str(failure.value)
        assert not server.directory.exists()


def plain(url: str) -> str:
    """Return a SQLAlchemy url as libpq takes it."""
    return url.replace("+psycopg", "")


class Page(http.server.BaseHTTPRequestHandler):
    """A /metrics page with one series."""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b'probe_total{model="m"} 42\n')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a running /metrics page."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class TestPrometheus:
    def test_it_scrapes_evaluates_rules_and_keeps_its_data(
        self, prometheus_factory: Callable[[PrometheusConfig], Prometheus], page: str, tmp_path: Path
    ) -> None:
        rules = tmp_path / "rules.yml"
        rules.write_text("groups: [{name: g, rules: [{record: probe:double, expr: probe_total * 2}]}]")
        assert "SUCCESS" in promtool("check", "rules", str(rules))

        prometheus = prometheus_factory(PrometheusConfig({"probe": [page]}, [rules], scrape_interval="200ms"))
        (double,) = prometheus.wait_for("probe:double")
        assert (double.labels["model"], double.value) == ("m", 84)

        prometheus.restart()
        (seen,) = prometheus.query("probe_total", at_s=double.time_s)
        assert seen.value == 42
        prometheus.close()

    def test_a_bad_query_is_told_in_its_own_words(
        self, prometheus_factory: Callable[[PrometheusConfig], Prometheus]
    ) -> None:
        prometheus = prometheus_factory(PrometheusConfig())
        with pytest.raises(ServerFailed, match="parse error"):
            prometheus.query("sum(")
        with pytest.raises(ServerFailed, match="refused its configuration"):
            prometheus.reload(PrometheusConfig(extra={"nonsense": 1}))
        assert prometheus.query("vector(1)")[0].value == 1
        prometheus.close()

    def test_promtool_tells_what_is_wrong(self, tmp_path: Path) -> None:
        server_or_skip(lambda: Prometheus()).close()
        rules = tmp_path / "rules.yml"
        rules.write_text("groups: [{name: g, rules: [{record: bad, expr: 'sum('}]}]")
        with pytest.raises(ServerFailed, match="parse error"):
            promtool("check", "rules", str(rules))


class TestMissing:
    def test_a_missing_server_skips_with_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MONITOR_REQUIRE_SERVERS", raising=False)
        with pytest.raises(pytest.skip.Exception, match="apt-get install nothing"):
            server_or_skip(nothing)

    def test_a_missing_server_fails_where_all_are_required(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MONITOR_REQUIRE_SERVERS", "1")
        with pytest.raises(pytest.fail.Exception, match="apt-get install nothing"):
            server_or_skip(nothing)


def nothing() -> Postgres:
    """Stand for a server that is not installed."""
    raise ServerMissing("apt-get install nothing")


STARTER = """
import sys, time
from tests.servers import Postgres
server = Postgres().start()
print(server.pid, server.directory, flush=True)
time.sleep(600)
"""


def test_servers_and_data_are_gone_when_their_starter_is_killed() -> None:
    server_or_skip(Postgres).close()
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=root, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid, directory = starter.stdout.readline().split()
        assert psutil.pid_exists(int(pid))
        os.kill(starter.pid, signal.SIGKILL)

    assert wait_until(lambda: not Path(directory).exists(), 10)
    assert wait_until(lambda: not alive(int(pid)), 10)


def alive(pid: int) -> bool:
    """Whether a process runs, zombies apart."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_thread_that_dies_fails_its_test(thread_failures: list[threading.ExceptHookArgs]) -> None:
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    with pytest.raises(AssertionError, match="thread worker died: ZeroDivisionError"):
        raise_first(thread_failures)
    thread_failures.clear()
