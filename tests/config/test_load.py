"""A file as it should be, and what is said of each thing that can be wrong with it."""

import random
from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.config.model import ModelConfig
from monitor.errors import ConfigError
from tests.config.mistakes import CASES
from tests.config.valid import VALID


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that the test runs in, so that problems begin with the bare name of the file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, **environ: str) -> Config:
    Path("monitor.yaml").write_text(text)
    return load_config("monitor.yaml", environ)


def problems(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(text, **environ)
    return error.value.problems


def with_change(old: str, new: str) -> str:
    assert VALID.count(old) == 1, f"{old!r} must be in the valid file once"
    return VALID.replace(old, new)


def test_reads_units_into_what_the_field_name_says() -> None:
    config = load(VALID)
    assert config.windows.features_s == 600
    assert config.retention.minute_days == 14
    assert config.stream.disorder_ms == 10_000
    assert config.stream.max_record_bytes == 1 << 20
    assert config.models["fraud"] == ModelConfig(
        owner="risk", segments=("country",), latency_thresholds_ms=(250,)
    )


def test_what_is_not_given_has_its_default() -> None:
    config = load("source: {kafka: {bootstrap_servers: 'b:9092', topics: [t]}}")
    assert config == Config(source=config.source)
    assert config.source.kafka is not None
    assert config.source.kafka.group_id == "monitor"


def test_is_frozen() -> None:
    config = load(VALID)
    with pytest.raises(ValueError, match="frozen"):
        config.store = "sqlite:///other.db"


def test_names_stay_as_they_are_written() -> None:
    text = with_change("  fraud:\n", "  no:\n    owner: 007\n  1.10: {}\n  fraud:\n")
    models = load(text).models
    assert list(models) == ["no", "1.10", "fraud"]
    assert models["no"].owner == "007"


def test_keys_without_a_value_are_as_if_not_given() -> None:
    text = with_change("log:\n  level: info\n", "log:\n").replace("  fraud:\n", "  churn:\n  fraud:\n")
    config = load(text)
    assert config.log.level == "info"
    assert config.models["churn"] == ModelConfig()


def test_anchors_and_merge_keys_work_and_own_keys_go_first() -> None:
    text = with_change(
        "  fraud:\n", "  base: &base {owner: a, segments: [plan]}\n  x: {<<: *base, owner: b}\n  fraud:\n"
    )
    assert load(text).models["x"] == ModelConfig(owner="b", segments=("plan",))


def test_a_spool_is_a_source_by_itself() -> None:
    assert load("ingest: {spool: {path: spool}}").ingest.spool is not None


@pytest.mark.parametrize("case", CASES)
def test_says_what_is_wrong(case: str) -> None:
    old, new, expected = CASES[case]
    text = new if old == "*" else with_change(old, new)
    assert problems(text) == expected


FILES = "source: {files: {path: logs}}\n"


def test_a_directory_that_is_not_there() -> None:
    expected = "monitor.yaml:1: source.files.path: logs does not exist; create the directory"
    assert problems(FILES) == [expected]


def test_a_directory_that_is_a_file(here: Path) -> None:
    (here / "logs").touch()
    assert problems(FILES) == ["monitor.yaml:1: source.files.path: logs is no directory"]


def test_a_spool_that_would_be_read_twice(here: Path) -> None:
    (here / "logs").mkdir()
    assert problems(FILES + "ingest: {spool: {path: ./logs}}\n") == [
        "monitor.yaml:2: ingest.spool.path: is source.files.path as well, and would be read twice; "
        "give it a directory of its own"
    ]
    load(FILES + "ingest: {spool: {path: logs/http}}\n")


LABELS = "source: {files: {path: logs}, labels: {path: %s}}\n"


def test_labels_among_the_records_would_be_read_twice(here: Path) -> None:
    (here / "logs").mkdir()
    (here / "posted" / "labels").mkdir(parents=True)
    assert problems(LABELS % "./logs")[0] == (
        "monitor.yaml:1: source.labels.path: is source.files.path as well, and would be read twice; "
        "give it a directory of its own"
    )
    assert load(LABELS % "posted/labels").source.labels is not None
    assert problems(LABELS % "posted/labels" + "ingest: {spool: {path: posted}}\n") == [
        "monitor.yaml:2: ingest.spool.path: with labels in it is source.labels.path as well, and would be "
        "read twice; give it a directory of its own"
    ]


def test_directories_of_one_name_would_share_their_progress(here: Path) -> None:
    for name in ("logs", "b/logs", "http-spool"):
        (here / name).mkdir(parents=True)
    assert problems(LABELS % "b/logs") == [
        "monitor.yaml:1: source.labels.path: logs is the name of source.files.path as well; "
        "rename one of the two"
    ]
    assert problems("source: {files: {path: http-spool}}\ningest: {spool: {path: s}}\n") == [
        "monitor.yaml:1: source.files.path: http-spool is the name of ingest.spool as well; "
        "rename one of the two"
    ]


def test_labels_alone_are_a_source(here: Path) -> None:
    (here / "labels").mkdir()
    assert load("source: {labels: {path: labels}}").source.labels is not None


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError) as error:
        load_config("other.yaml")
    expected = "other.yaml: can't be read: no such file or directory; give the configuration with -c FILE"
    assert error.value.problems == [expected]


def test_a_file_that_is_not_utf8(here: Path) -> None:
    (here / "monitor.yaml").write_bytes(b"store: \xff\n")
    with pytest.raises(ConfigError) as error:
        load_config("monitor.yaml")
    assert error.value.problems == ["monitor.yaml: is not UTF-8 at byte 7; save it as UTF-8"]


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (problem,) = problems("\n".join(lines))
    assert problem.endswith("has more than 100,000 values")


def test_a_wrong_value_does_not_hide_other_mistakes() -> None:
    text = with_change("broker1:9092,broker2:9092", "broker1").replace(
        "client.id: monitor", "sasl.pasword: x"
    )
    text = text.replace("disorder: 10s", "disorder: 1h")
    assert [problem.split(": ")[1] for problem in problems(text)] == [
        "source.kafka.bootstrap_servers",
        "source.kafka.options.sasl.pasword",
        "stream.disorder",
    ]


def test_nothing_is_said_of_what_rests_on_a_wrong_value() -> None:
    text = with_change("max_hold: 5m", "max_hold: soon").replace("disorder: 10s", "disorder: 1h")
    assert [problem.split(": ")[1] for problem in problems(text)] == ["stream.max_hold"]


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_file_gives_problems_and_never_a_traceback(seed: int) -> None:
    random_ = random.Random(seed)
    text = list(VALID)
    for _ in range(random_.randint(1, 12)):
        at = random_.randrange(len(text))
        text[at : at + random_.randint(0, 3)] = random_.choice(
            [*"\n\t :[]{}'\"&*!%@`|>-#~$0é", "${", "<<", ": {"]
        )
    found: list[str] = []
    try:
        load("".join(text))
    except ConfigError as e:
        found = e.problems or ["nothing"]
    assert all(problem.startswith("monitor.yaml") for problem in found)
