"""The pager's API beside the job's."""

from pathlib import Path

import httpx
import pytest

from monitor.config import load_config
from monitor.service import Service
from tests.waiting import until

CONFIGURATION = """\
store: sqlite:///{0}/m.db
source: {{files: {{path: {0}/logs}}}}
web: {{port: 0}}
paging:
  to: {1}
  route: {{receiver: team}}
  receivers:
  - {{name: team}}
"""


@pytest.mark.parametrize(("to", "status"), [("embedded", 200), ("off", 404)])
def test_it_is_there_where_monitor_itself_pages(tmp_path: Path, to: str, status: int) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIGURATION.format(tmp_path, to))
    service = Service(load_config(path))
    try:
        service.listen()
        with httpx.Client(base_url=str(service.url)) as client:
            assert until(lambda: client.get("/api/v2/receivers")).status_code == status
            assert client.post("/api/v2/alerts", json=[{"labels": {"a": "b"}}]).status_code == status
            assert client.post("/-/reload").status_code == (501 if status == 200 else 404)
            if status == 200:
                assert client.get("/api/v2/alerts").json()[0]["labels"] == {"a": "b"}
                assert "receiver: team" in client.get("/api/v2/status").json()["config"]["original"]
                assert 'alertmanager_alerts{state="active"} 1.0' in client.get("/metrics").text
    finally:
        service.close()
