"""`monitor event send|list|schema`, from the command to the store."""

import json
from pathlib import Path

import jsonschema
import pytest

from monitor.ingest.events.kinds import KINDS
from tests.builders import encode
from tests.cli.run import run
from tests.ingest.events.making import event


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/m.db"


def test_what_was_sent_is_listed(store: str) -> None:
    first = run(
        "event",
        "send",
        "registry",
        "model=fraud",
        "version=3",
        "--id",
        "r",
        "--source",
        "s",
        "--store",
        store,
    )
    assert (first.code, first.out) == (0, f"1 event in {store}\n")
    sent = run(
        *("event", "send", "deployment", "model=fraud", "version=4", "traffic.3=0.9", "traffic.4=0.1"),
        *("deployed=2026-11-23T10:00:00Z", "--store", store),
    )
    assert sent.code == 0
    again = run(
        "event", "send", "registry", "model=x", "version=3", "--id", "r", "--source", "s", "--store", store
    )
    assert again.code == 0
    rows = json.loads(run("event", "list", "--store", store, "--format", "json").out)
    assert {(row["kind"], row["model"], row["version"]) for row in rows} == {
        ("registry", "fraud", "3"),
        ("deployment", "fraud", "4"),
    }
    deployed = next(row for row in rows if row["kind"] == "deployment")
    assert deployed["at"] == "2026-11-23T10:00:00Z"
    assert deployed["data"]["traffic"] == {"3": 0.9, "4": 0.1}
    table = run("event", "list", "--kind", "deployment", "--store", store).out
    assert "traffic 3=0.9 4=0.1" in table
    assert "registry" not in table


def test_a_refused_event_is_told_with_its_reason(store: str) -> None:
    sent = run("event", "send", "deployment", "model=fraud", "version=4", "--store", store)
    assert sent.code == 1
    assert "unknown_model" in sent.err
    assert "unknown_model" in run("dead-letters", "list", "--store", store).out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["party"], "no kind of event"),
        (["deployment", "model"], "write FIELD=VALUE"),
        (["deployment", "colour=red"], "deployment has model, version"),
        (["deployment", "model=fraud"], "version"),
        (["deployment", "model=fraud", "version=1", "traffic_share=x"], "traffic_share"),
        ([], "name a kind"),
    ],
)
def test_mistakes_are_named_before_anything_is_sent(store: str, given: list[str], said: str) -> None:
    ran = run("event", "send", *given, "--store", store)
    assert ran.code == 2
    assert said in ran.err


def test_a_file_of_events(store: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"\n".join([encode(event("registry", "1")), b"{oops", encode(event("dataset", "2"))]) + b"\n\n"
    )
    ran = run("event", "send", "--file", str(file), "--store", store)
    assert (ran.code, ran.out) == (1, f"2 events in {store}\n")
    assert "1 refused: 1 event.bad_json" in ran.err


def test_into_the_spool_of_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "monitor.yaml"
    config.write_text(f"store: sqlite:///{tmp_path}/m.db\ningest: {{spool: {{path: {tmp_path}/spool}}}}\n")
    ran = run("event", "send", "heartbeat", "device=till-7", "-c", str(config))
    assert (ran.code, ran.out) == (0, f"1 event sent to {tmp_path}/spool/events\n")
    assert "till-7" in next((tmp_path / "spool" / "events").iterdir()).read_text()
    assert run("run", "-c", str(config), "--until-caught-up", "--no-web").code == 0
    assert "till-7" in run("event", "list", "-c", str(config)).out


def test_the_contract_of_each_kind_is_a_schema() -> None:
    for kind in KINDS:
        schema = json.loads(run("event", "schema", kind).out)
        jsonschema.Draft202012Validator.check_schema(schema)
    assert len(json.loads(run("event", "schema").out)["oneOf"]) == len(KINDS)
    assert run("event", "schema", "party").code == 2
