"""The configuration that the shared options make."""

from pathlib import Path

import pytest

from monitor.cli.options import configured
from monitor.errors import ConfigError
from tests.cli.run import run


def test_without_a_file_the_options_are_all(tmp_path: Path) -> None:
    config = configured(None, store=f"sqlite:///{tmp_path}/m.db", files=tmp_path, listen="127.0.0.1:1")
    assert config.source.files is not None
    assert config.source.files.path == tmp_path
    assert config.web.port == 1


def test_options_go_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text(f"source: {{files: {{path: {tmp_path}}}}}\nweb: {{port: 1, burst: 3}}\n")
    config = configured(file, store=f"sqlite:///{tmp_path}/m.db", listen="127.0.0.1:2")
    assert config.store == f"sqlite:///{tmp_path}/m.db"
    assert (config.web.port, config.web.burst) == (2, 3)


def test_labels_beside_the_files(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    config = configured(None, f"sqlite:///{tmp_path}/m.db", files=tmp_path, labels=tmp_path / "labels")
    assert config.source.labels is not None
    assert config.source.labels.path == tmp_path / "labels"
    with pytest.raises(ConfigError, match=r"--labels: .*nowhere does not exist; create the directory"):
        configured(None, labels=tmp_path / "nowhere")


def test_two_sources_are_one_too_many(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text(f"source: {{files: {{path: {tmp_path}}}}}\n")
    with pytest.raises(ConfigError, match="give --files or -c, not both"):
        configured(file, files=tmp_path)
    with pytest.raises(ConfigError, match="give --labels or -c, not both"):
        configured(file, labels=tmp_path)


def test_pages_can_be_sent_only_of_a_run_that_ends_by_itself(tmp_path: Path) -> None:
    ran = run("run", "--files", str(tmp_path), "--store", f"sqlite:///{tmp_path}/m.db", "--send")
    assert ran.code == 2
    assert "--send: goes with --until-caught-up" in ran.err
