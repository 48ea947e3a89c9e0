"""The demo's configuration is one that a person could have written."""

from pathlib import Path

from monitor.backtest.incidents import read_incidents
from monitor.config import load_config, warnings
from monitor.demo import data
from monitor.demo.configuration import write_configuration, write_incidents


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


def test_every_fault_is_an_incident_that_moves_with_the_logs(tmp_path: Path) -> None:
    faults = sorted(data.faults()["faults"], key=lambda fault: (fault["start_ms"], fault["name"]))
    found = read_incidents(write_incidents(tmp_path, 86_400_000), 0)
    assert [(i.name, i.model) for i in found] == [(f["name"], f["model"]) for f in faults]
    assert [i.from_s - 86_400 for i in found] == [f["start_ms"] // 1000 for f in faults]
