"""What may be shown of an Alertmanager file: no secrets, and what amtool can read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from monitor.paging.document.shown import shown_document, shown_file

FILE = """\
global:
  smtp_auth_password: hunter2
  smtp_require_tls: false
  slack_api_url: https://hooks.slack.com/services/T0/B0/abcdef
  opsgenie_api_url: https://api.opsgenie.com/
  opsgenie_api_key_file: /run/secrets/opsgenie
route:
  receiver: ops
  group_by: [alertname]
  routes:
    - matchers: ['owner="risk"']
      receiver: risk
      continue: true
receivers:
  - name: ops
    webhook_configs:
      - url: https://bot:hunter2@chat.example:8443/hook?token=hunter2
        max_alerts: 5
        http_config: {authorization: {type: Bearer, credentials: hunter2}}
    pagerduty_configs: [{routing_key: hunter2, severity: critical}]
  - name: risk
    apprise_configs: [{url: "tgram://hunter2/123"}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(FILE)
    return path


def test_no_secret_is_shown(file: Path) -> None:
    shown = shown_file(file)
    assert "hunter2" not in shown
    assert "abcdef" not in shown
    document = yaml.safe_load(shown)
    assert document["global"] == {
        "smtp_auth_password": "<secret>",
        "smtp_require_tls": False,
        "slack_api_url": "https://hooks.slack.com/<secret>",
        "opsgenie_api_url": "https://api.opsgenie.com/",
        "opsgenie_api_key_file": "/run/secrets/opsgenie",
    }
    [webhook] = document["receivers"][0]["webhook_configs"]
    assert (webhook["url"], webhook["max_alerts"]) == ("https://chat.example:8443/<secret>", 5)


def test_what_amtool_does_not_know_is_only_named(file: Path) -> None:
    shown = shown_file(file)
    assert shown.startswith("# not shown: apprise_configs of risk\n")
    assert yaml.safe_load(shown)["receivers"][1] == {"name": "risk"}


@pytest.mark.alertmanager
def test_amtool_reads_it(file: Path, amtool_run: Callable[..., str]) -> None:
    file.write_text(shown_file(file))
    assert "SUCCESS" in amtool_run("check-config", str(file))
    assert amtool_run("config", "routes", "test", f"--config.file={file}", "owner=risk").strip() == "risk"


def test_texts_are_written_as_they_stood() -> None:
    """What our own file gives are texts: `true` is to be a truth again, and 1.10 to keep its nought."""
    document = {"route": {"continue": "true", "group_wait": "30s", "match": {"version": "1.10", "x": "a: b"}}}
    shown = shown_document(document)
    assert "continue: true" in shown
    assert "version: 1.10\n" in shown
    assert yaml.safe_load(shown)["route"]["match"]["x"] == "a: b"


@pytest.mark.parametrize("text", ["", "[", "- a", "just words"])
def test_what_is_no_file_is_shown_as_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(text)
    assert shown_file(path) == ""
    assert shown_file(tmp_path / "missing.yml") == ""
