"""Running without a file, and overriding one."""

from pathlib import Path

import pytest

from monitor.config import Config, default_config, is_loopback, overridden, warnings
from monitor.config.model import FilesConfig, SourceConfig, WebConfig
from monitor.errors import ConfigError


def problems(**options: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        default_config(**options)
    return error.value.problems


def test_files_and_a_store_are_enough(tmp_path: Path) -> None:
    config = default_config(files=tmp_path, store=f"sqlite:///{tmp_path}/m.db")
    source = SourceConfig(files=FilesConfig(path=tmp_path))
    assert config == Config(source=source, store=f"sqlite:///{tmp_path}/m.db")


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:9000", "127.0.0.1", 9000), (":9000", "0.0.0.0", 9000), ("[::1]:0", "::1", 0)],
)
def test_where_to_listen(listen: str, host: str, port: int) -> None:
    config = overridden(Config(web=WebConfig(burst=7)), listen=listen)
    assert config.web == WebConfig(host=host, port=port, burst=7)


def test_each_option_is_named_with_what_is_wrong() -> None:
    assert problems(files="/not/there", store="oracle://h/d") == [
        "--store: oracle is not supported; use sqlite or postgresql",
        "--files: /not/there does not exist; create the directory",
    ]
    assert problems(listen="8080") == ["--listen: '8080' is no host:port; write for example 127.0.0.1:8080"]
    assert problems(store="") == [
        "--store: '' is no database URL; write sqlite:///monitor.db or postgresql://user@host/db"
    ]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_what_only_this_machine_can_reach(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_warns_of_a_directory_without_files_and_of_listening_to_all(tmp_path: Path) -> None:
    config = default_config(files=tmp_path, listen="0.0.0.0:8080")
    assert [warning.sentence for warning in warnings(config)] == [
        "0.0.0.0 is beyond loopback: every request will need a token; see `monitor token create`",
        f"no file in {tmp_path} matches *json* yet",
    ]
    (tmp_path / "a.jsonl.gz").touch()
    assert list(warnings(default_config(files=tmp_path))) == []
