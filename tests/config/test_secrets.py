"""No way of showing a configuration shows a secret."""

import json
from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.config.model import KafkaConfig, SourceConfig
from monitor.config.secrets import is_secret, mask_url
from monitor.config.summary import summary
from monitor.errors import ConfigError

SECRET = "hunter2-hunter2"
OPTIONS = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "monitor",
    "sasl.password": SECRET,
    "ssl.key.password": SECRET,
    "sasl.oauthbearer.client.secret": SECRET,
}
KAFKA = KafkaConfig(bootstrap_servers="b:9092", topics=("t",), options=OPTIONS)
CONFIG = Config(store=f"postgresql://u:{SECRET}@h/d?sslpassword={SECRET}", source=SourceConfig(kafka=KAFKA))


@pytest.mark.parametrize(
    "shown",
    [
        repr(CONFIG),
        str(CONFIG),
        f"{CONFIG.source}",
        repr(KAFKA),
        str(CONFIG.model_dump()),
        str(CONFIG.source.model_dump()),
        CONFIG.model_dump_json(),
        json.dumps(CONFIG.masked()),
        str(summary(CONFIG)),
    ],
)
def test_masks_every_secret(shown: str) -> None:
    assert SECRET not in shown
    assert "***" in shown or "sasl_ssl" in shown


def test_the_values_are_there_for_those_who_need_them() -> None:
    assert CONFIG.store.startswith(f"postgresql://u:{SECRET}@")
    assert CONFIG.source.kafka is not None
    assert CONFIG.source.kafka.options["sasl.password"] == SECRET
    assert CONFIG.secrets() == (SECRET,) * 5


def test_what_is_no_secret_is_shown() -> None:
    masked = CONFIG.masked()
    assert masked["store"] == "postgresql://u:***@h/d?sslpassword=***"
    assert masked["source"]["kafka"]["options"]["sasl.username"] == "monitor"
    assert masked["stream"]["disorder"] == "10s"
    kept = {"1m": "14d", "1h": "400d", "1d": "5y", "dead_letters": "30d", "samples": "14d"}
    kept |= {"incidents": "400d", "audit": "5y"}
    assert masked["retention"] == kept


def test_the_masked_configuration_can_be_read_back(tmp_path: Path) -> None:
    config = Config(source=SourceConfig(kafka=KafkaConfig(bootstrap_servers="b:9092", topics=("t",))))
    path = tmp_path / "monitor.yaml"
    path.write_text(json.dumps(config.masked()))
    assert load_config(path, {}) == config


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sasl.password", True),
        ("ssl.key.pem", True),
        ("ssl.keystore.password", True),
        ("sasl.jaas.config", True),
        ("sasl.oauthbearer.config", True),
        ("sasl.oauthbearer.assertion.private.key.passphrase", True),
        ("sasl.username", False),
        ("ssl.ca.location", False),
        ("ssl.key.location", False),
        ("sasl.oauthbearer.token.endpoint.url", False),
        ("sasl.oauthbearer.assertion.private.key.file", False),
        ("bootstrap.servers", False),
    ],
)
def test_knows_a_secret_by_its_name(name: str, expected: bool) -> None:
    assert is_secret(name) is expected


def test_masks_what_is_hardly_a_url() -> None:
    assert SECRET not in mask_url(f"postgres//u:{SECRET}@h/d") or "://" not in f"postgres//u:{SECRET}@h/d"
    assert mask_url("x y://u:secret@h") == "x y://u:***@h"


def test_a_mistake_does_not_tell_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(f"""\
store: "my sql://u:{SECRET}@h/d"
source:
  kafka:
    bootstrap_servers: b:9092
    topics: [t]
    options:
      sasl.password: [{SECRET}]
      ssl.key.pasword: {SECRET}
      ssl.key.pem: {SECRET}
""")
    with pytest.raises(ConfigError) as error:
        load_config(path, {})
    assert len(error.value.problems) == 3
    assert SECRET not in str(error.value)
