"""The examples that ship are right, and the full one shows every key with its default."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.config.section import Section

EXAMPLES = Path(__file__).resolve().parents[2] / "docker" / "examples"
ENVIRON = {
    "MONITOR_DB_PASSWORD": "p@ss",
    "EVENT_HUBS_NAMESPACE": "my-namespace",
    "EVENT_HUBS_CONNECTION_STRING": "Endpoint=sb://my-namespace.servicebus.windows.net/;SharedAccessKey=a=",
    "AZURE_CLIENT_ID": "an-id",
    "AZURE_CLIENT_SECRET": "a-secret",
    "AZURE_TENANT_ID": "a-tenant",
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_right(path: Path) -> None:
    load_config(path, ENVIRON)


def test_event_hubs_by_connection_string() -> None:
    kafka = load_config(EXAMPLES / "azure-event-hubs.yaml", ENVIRON).source.kafka
    assert kafka is not None
    assert kafka.bootstrap_servers == "my-namespace.servicebus.windows.net:9093"
    assert kafka.options["sasl.username"] == "$ConnectionString"
    assert kafka.options["sasl.password"] == ENVIRON["EVENT_HUBS_CONNECTION_STRING"]
    assert kafka.options["socket.keepalive.enable"] == "true"


def test_event_hubs_by_entra_id_which_stands_there_as_a_comment(tmp_path: Path) -> None:
    text = (EXAMPLES / "azure-event-hubs.yaml").read_text()
    text = re.sub(r"^      sasl\..*\n", "", text, flags=re.MULTILINE)
    text, count = re.subn(r"^      # (sasl\.)", r"      \1", text, flags=re.MULTILINE)
    assert count == 6
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    kafka = load_config(path, ENVIRON).source.kafka
    assert kafka is not None
    assert kafka.options["sasl.oauthbearer.token.endpoint.url"] == (
        "https://login.microsoftonline.com/a-tenant/oauth2/v2.0/token"
    )
    assert kafka.options["sasl.oauthbearer.scope"] == "https://my-namespace.servicebus.windows.net/.default"


def test_the_full_example_says_the_defaults() -> None:
    config = load_config(EXAMPLES / "monitor.yaml", ENVIRON)
    for name in ("windows", "retention", "stream", "limits", "latency_thresholds_ms", "slo", "log"):
        assert getattr(config, name) == getattr(Config(), name), name


def test_the_full_example_has_every_key() -> None:
    text = (EXAMPLES / "monitor.yaml").read_text()
    keys = set(re.findall(r"(?:^[ #-]*|[{,] ?)([a-z0-9_]+):", text, flags=re.MULTILINE))
    assert _keys(Config) <= keys


def _keys(section: type[Section]) -> set[str]:
    found: set[str] = set()
    for name, info in section.model_fields.items():
        found.add(str(info.validation_alias or name))
        for part in re.findall(r"(monitor\.config\.\w+)\.(\w+Config)\b", str(info.annotation)):
            found |= _keys(getattr(import_module(part[0]), part[1]))
    return found
