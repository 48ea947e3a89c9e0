"""The demo's configuration is one that a person could have written."""

from pathlib import Path

from monitor.config import load_config, warnings
from monitor.demo import data
from monitor.demo.configuration import write_configuration


def test_it_loads_and_every_model_has_objectives(tmp_path: Path) -> None:
    directory = tmp_path / 'a "quoted" $name'
    for name in ("spool", "labels"):
        (directory / name).mkdir(parents=True)
    config = load_config(write_configuration(directory, 8081))
    assert config.web.port == 8081
    assert config.source.files is not None
    assert config.source.files.path == directory / "spool"
    assert all(config.models[m["name"]].objectives for m in data.faults()["models"])
    assert {w.place[0] for w in warnings(config)} <= {"source"}
