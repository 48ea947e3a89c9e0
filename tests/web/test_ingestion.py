"""POST /v1/inferences and /v1/labels: shapes, encodings, bounds, and what is answered when."""

import errno
import gzip
import json
import socket
import threading
from collections.abc import Callable

import pytest

from monitor.errors import StoreBusy
from monitor.web import bodies
from tests.waiting import until
from tests.web.apps import Site

PATH = "/v1/inferences"
LABELS = "/v1/labels"


def test_one_record(site: Site) -> None:
    answer = site.client.post(PATH, content=b'{"id": "a",\n "ts": 1}')
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert site.log.lines == [b'{"id": "a",  "ts": 1}']


def test_an_array_becomes_a_line_for_each_with_its_bytes_kept(site: Site) -> None:
    body = b'[ {"id":"a","x":1.00}, {"id":"b",\r\n"x":1e2,"s":"a\\nb"} ,7]'
    answer = site.client.post(PATH, content=body)
    assert answer.json() == {"accepted": 3}
    assert site.log.lines == [b'{"id":"a","x":1.00}', b'{"id":"b", "x":1e2,"s":"a\\nb"}', b"7"]


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "application/x-ndjson; charset=utf-8", "text/plain"]
)
def test_ndjson_by_type_or_by_shape(site: Site, content_type: str) -> None:
    body = b'{"id":"a"}\n\n{"id":"b"}\r\n{"id":'
    answer = site.client.post(PATH, content=body, headers={"Content-Type": content_type})
    assert answer.json() == {"accepted": 3}
    assert site.log.lines == [b'{"id":"a"}', b'{"id":"b"}', b'{"id":']


def test_a_bad_record_among_others_goes_through(site: Site) -> None:
    assert site.client.post(PATH, content=b'[{"id":"a"},{"nonsense":1}]').status_code == 202
    assert site.log.lines == [b'{"id":"a"}', b'{"nonsense":1}']


def test_an_empty_array_is_accepted_and_not_kept(site: Site) -> None:
    site.log.fail = AssertionError("nothing to keep")
    assert site.client.post(PATH, content=b"[]").json() == {"accepted": 0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"7",
        b'"a"',
        b"{",
        b"[{]",
        b'[{"a":1}',
        b'{"a":1}}',
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_what_is_no_json_is_refused(site: Site, body: bytes) -> None:
    answer = site.client.post(PATH, content=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert site.log.lines == []


def test_gzip_with_several_members(site: Site) -> None:
    body = gzip.compress(b'{"id":"a"}\n') + gzip.compress(b'{"id":"b"}\n')
    answer = site.client.post(PATH, content=body, headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"accepted": 2}


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"nonsense", "gzip", 400),
        (gzip.compress(b'{"id":"a"}', mtime=0)[:-4], "gzip", 400),
        (gzip.compress(b"", mtime=0) * 500, "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
    ],
    ids=["no gzip", "cut short", "too many members", "brotli", "twice"],
)
def test_broken_encodings(site: Site, body: bytes, encoding: str, status: int) -> None:
    answer = site.client.post(PATH, content=body, headers={"Content-Encoding": encoding})
    assert answer.status_code == status


def test_a_small_body_that_unpacks_to_much_is_refused(make_site: Callable[..., Site]) -> None:
    site = make_site(max_body_bytes=100_000)
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    assert len(bomb) < 100_000
    answer = site.client.post(PATH, content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413


def test_a_body_that_is_too_large_is_refused_by_its_length(make_site: Callable[..., Site]) -> None:
    site = make_site(max_body_bytes=1000)
    answer = site.client.post(PATH, content=b" " * 1001)
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["error"]
    # It is counted once the answer is out.
    counted = b'monitor_http_rejected_total{reason="too_large"} 1.0'
    until(lambda: counted in site.metrics.exposition("")[0])


def test_a_body_that_is_too_large_is_refused_as_it_arrives(make_site: Callable[..., Site]) -> None:
    site = make_site(max_body_bytes=1000)
    answer = site.client.post(PATH, content=iter([b" " * 600] * 3))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "error", [StoreBusy("away"), OSError(errno.ENOSPC, "No space left on device")], ids=repr
)
def test_what_could_not_be_made_durable_is_to_be_sent_again(site: Site, error: Exception) -> None:
    site.log.fail = error
    answer = site.client.post(PATH, content=b'{"id":"a"}')
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "space" not in answer.text


def test_nothing_is_answered_before_it_is_durable(site: Site) -> None:
    durable, answered = threading.Event(), threading.Event()
    site.log.before = lambda: durable.wait(10)

    def post() -> None:
        assert site.client.post(PATH, content=b'{"id":"a"}').status_code == 202
        answered.set()

    sender = threading.Thread(target=post)
    sender.start()
    assert not answered.wait(0.2)
    durable.set()
    sender.join(10)
    assert answered.is_set()


def test_an_append_that_hangs_is_answered_in_time(make_site: Callable[..., Site]) -> None:
    site = make_site(request_timeout_s=0.2)
    durable = threading.Event()
    site.log.before = lambda: durable.wait(10)
    answer = site.client.post(PATH, content=b'{"id":"a"}')
    durable.set()
    assert answer.status_code == 504
    assert "Retry-After" in answer.headers


def test_a_server_without_a_log_takes_no_records(site: Site) -> None:
    answer = site.without_log().post(PATH, content=b"{}")
    assert answer.status_code == 404
    assert "takes no records" in answer.json()["error"]


def test_labels_go_where_labels_go(site: Site) -> None:
    body = b'[{"id":"a","label":1},{"key":"b",\n"label":"yes"}]'
    for content, encoding in ((body, "identity"), (gzip.compress(body), "gzip")):
        answer = site.client.post(LABELS, content=content, headers={"Content-Encoding": encoding})
        assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    assert site.label_log.lines == [b'{"id":"a","label":1}', b'{"key":"b", "label":"yes"}'] * 2
    assert site.log.lines == []


def test_labels_have_the_same_limits_and_answers(make_site: Callable[..., Site]) -> None:
    site = make_site(max_body_bytes=1000)
    assert site.client.post(LABELS, content=b"7").status_code == 400
    assert site.client.post(LABELS, content=b" " * 1001).status_code == 413
    assert site.client.post(LABELS, content=b"{}", headers={"Content-Encoding": "br"}).status_code == 415
    site.label_log.fail = StoreBusy("away")
    answer = site.client.post(LABELS, content=b'{"id":"a"}')
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "labels could not be made durable" in answer.json()["error"]
    answer = site.without_log().post(LABELS, content=b"{}")
    assert answer.status_code == 404
    assert "source.kafka.label_topics" in answer.json()["error"]


def test_a_bug_shows_no_traceback_outside(site: Site) -> None:
    site.log.fail = ValueError("a secret of ours")
    answer = site.client.post(PATH, content=b"{}", headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "abc-1" in answer.json()["error"]


def test_what_split_gives_is_one_line_each() -> None:
    records = [{"id": str(i), "text": "a\nb\u2028c", "nested": {"x": [1, None, True]}} for i in range(50)]
    pretty = json.dumps(records, indent=2).encode()
    lines = bodies.split(pretty, "application/json")
    assert [json.loads(line) for line in lines] == records
    assert not any(b"\n" in line for line in lines)


def test_a_body_that_drips_is_cut_short(make_site: Callable[..., Site]) -> None:
    site = make_site(request_timeout_s=0.3)
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as connection:
        connection.sendall(b"POST /v1/inferences HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 504")
    assert site.log.lines == []
