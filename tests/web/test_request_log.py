"""The access log: one line for each request, with the id that the client sees."""

import logging
from collections.abc import Iterator

import pytest

from monitor import logs
from tests.waiting import until
from tests.web.apps import Site


class Lines(logging.Handler):
    """Keeps records with the correlation id that was in force."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[logging.LogRecord, str | None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record, logs.correlation_id()))

    def wait(self, n: int) -> list[tuple[logging.LogRecord, str | None]]:
        """What was logged, once it is `n` lines: a request is logged when its answer is out."""
        until(lambda: len(self.seen) >= n)
        return self.seen


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    log = logging.getLogger("monitor.web")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def test_a_request_is_one_line(site: Site, lines: Lines) -> None:
    site.client.get("/api/v1/models?x=1", headers={"X-Request-ID": "r-1"})
    ((record, correlation_id),) = lines.wait(1)
    assert correlation_id == "r-1"
    facts = vars(record)
    got = (facts["method"], facts["path"], facts["status"], record.levelname)
    assert got == ("GET", "/api/v1/models", 200, "INFO")


def test_probes_are_logged_for_debugging_only(site: Site, lines: Lines) -> None:
    site.client.get("/healthz")
    ((record, _),) = lines.wait(1)
    assert record.levelname == "DEBUG"


def test_what_is_logged_below_carries_the_id(site: Site, lines: Lines) -> None:
    site.log.fail = OSError("No space left on device")
    site.client.post("/v1/inferences", content=b"{}", headers={"X-Request-ID": "r-2"})
    assert [(r.getMessage(), i) for r, i in lines.wait(2)] == [
        ("posted records not kept", "r-2"),
        ("request", "r-2"),
    ]
