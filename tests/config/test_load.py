"""A file as it should be, and what is said of each thing that can be wrong with it."""

import random
from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.config.model import ModelConfig
from monitor.errors import ConfigError
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
    assert config.models["fraud"] == ModelConfig(owner="risk", segments=("country",), dedupe_s=600)


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
        "  fraud:\n", "  base: &base {owner: a, dedupe: 1m}\n  x: {<<: *base, owner: b}\n  fraud:\n"
    )
    assert load(text).models["x"] == ModelConfig(owner="b", dedupe_s=60)


def test_a_spool_is_a_source_by_itself() -> None:
    assert load("ingest: {spool: {path: spool}}").ingest.spool is not None


NO_SOURCE = "source: is missing; name kafka or files, or an ingest.spool to post records to"

CASES = {
    "an empty file has no source": ("*", "", [f"monitor.yaml:1: {NO_SOURCE}"]),
    "only a comment": ("*", "# nothing\n", [f"monitor.yaml:1: {NO_SOURCE}"]),
    "a list": (
        "*",
        "- a\n",
        ["monitor.yaml:1: the file must be a mapping with keys such as store and source"],
    ),
    "bad YAML": (
        "[inferences]",
        "[inferences",
        ["monitor.yaml:6:12: not YAML: expected ',' or ']', but got ':'"],
    ),
    "a tab": (
        "  service: 1m",
        "\tservice: 1m",
        ["monitor.yaml:9:1: not YAML: found character '\\t' that cannot start any token; indent with spaces"],
    ),
    "a control character": (
        "owner: risk",
        "owner: ri\x07sk",
        ["monitor.yaml:23: not YAML: a control character (#x07); remove it"],
    ),
    "two documents": (
        "log:\n",
        "---\nlog:\n",
        ["monitor.yaml:29:1: not YAML: but found another document"],
    ),
    "a tag": (
        "level: info",
        "level: !!python/name:os.system info",
        ["monitor.yaml:30: log.level: the tag !!python/name:os.system means nothing here; remove it"],
    ),
    "a key given twice": (
        "  features: 10m\n",
        "  features: 10m\n  service: 5m\n",
        ["monitor.yaml:11: windows.service: is given twice, first in line 9; keep one"],
    ),
    "a section given twice": (
        "log:\n",
        "windows: {}\nlog:\n",
        ["monitor.yaml:29: windows: is given twice, first in line 8; keep one"],
    ),
    "a value that refers to itself": (
        "segments: [country]",
        "segments: &s [*s]",
        [
            "monitor.yaml:24: models.fraud.segments[0]: refers to itself; write the value out",
            "monitor.yaml:24: models.fraud.segments[0]: must be a text",
        ],
    ),
    "an unknown key near a known one": (
        "bootstrap_servers:",
        "bootstrap_server:",
        [
            "monitor.yaml:3: source.kafka.bootstrap_servers: is missing; write for example "
            "bootstrap_servers: localhost:9092",
            "monitor.yaml:4: source.kafka.bootstrap_server: no such key; did you mean bootstrap_servers?",
        ],
    ),
    "an unknown key near no other": (
        "level: info",
        "colour: blue",
        ["monitor.yaml:30: log.colour: no such key; there are level, format"],
    ),
    "a key of another section": (
        "log:\n",
        "disorder: 5s\nlog:\n",
        ["monitor.yaml:29: disorder: no such key here; did you mean stream.disorder?"],
    ),
    "a key of a model at the top": (
        "log:\n",
        "dedupe: 5s\nlog:\n",
        ["monitor.yaml:29: dedupe: no such key here; did you mean models.<name>.dedupe?"],
    ),
    "a field's name in place of its key": (
        "  disorder: 10s",
        "  disorder_ms: 10000",
        ["monitor.yaml:15: stream.disorder_ms: no such key; write disorder, with the unit in its value"],
    ),
    "an unknown database": (
        "sqlite:///monitor.db",
        "mysql://u:hunter2@h/d",
        ["monitor.yaml:1: store: mysql is not supported; use sqlite or postgresql"],
    ),
    "a store that is no URL": (
        "sqlite:///monitor.db",
        "monitor.db",
        [
            "monitor.yaml:1: store: 'monitor.db' is no database URL; "
            "write sqlite:///monitor.db or postgresql://user@host/db"
        ],
    ),
    "a store in memory": (
        "sqlite:///monitor.db",
        '"sqlite://"',
        ["monitor.yaml:1: store: SQLite in memory would forget; name a file: sqlite:///monitor.db"],
    ),
    "a store in no directory": (
        "sqlite:///monitor.db",
        "sqlite:///no/m.db",
        ["monitor.yaml:1: store: the directory of no/m.db does not exist; create it"],
    ),
    "a broker without a port": (
        "broker1:9092,",
        "broker1,",
        [
            "monitor.yaml:4: source.kafka.bootstrap_servers: 'broker1' is no host:port; "
            "write broker1:9092,broker2:9092"
        ],
    ),
    "topics that are no list": (
        "[inferences]",
        "inferences",
        ["monitor.yaml:5: source.kafka.topics: must be a list, such as [inferences]"],
    ),
    "no topics": (
        "[inferences]",
        "[]",
        ["monitor.yaml:5: source.kafka.topics: must have at least one entry"],
    ),
    "a topic twice": ("[inferences]", "[a, a]", ["monitor.yaml:5: source.kafka.topics: names a topic twice"]),
    "a topic that can't be": (
        "[inferences]",
        "[a/b]",
        [
            "monitor.yaml:5: source.kafka.topics: 'a/b' is no topic name: "
            "letters, digits, '.', '_' and '-' only"
        ],
    ),
    "an unknown client": (
        "    topics:",
        "    client: pykafka\n    topics:",
        ["monitor.yaml:5: source.kafka.client: must be confluent or kafka-python, not 'pykafka'"],
    ),
    "a section that is a text": (
        "  kafka:\n    bootstrap_servers: broker1:9092,broker2:9092\n    topics: [inferences]\n"
        "    options:\n      client.id: monitor\n",
        "  kafka: localhost:9092\n",
        [
            "monitor.yaml:3: source.kafka: must be a mapping with keys such as "
            "bootstrap_servers, topics, group_id"
        ],
    ),
    "options that are a text": (
        "options:\n      client.id: monitor",
        "options: none",
        [
            "monitor.yaml:6: source.kafka.options: must be a mapping of names to values, "
            "one a line: `name: value`"
        ],
    ),
    "both sources": (
        "windows:",
        "  files: {path: .}\nwindows:",
        ["monitor.yaml:2: source: names both kafka and files; keep one"],
    ),
    "a window that does not fit": (
        "service: 1m",
        "service: 7m",
        [
            "monitor.yaml:9: windows.service: must divide an hour, or be whole hours that divide a day: "
            "1m, 10m, 1h, 6h"
        ],
    ),
    "a duration without a unit": (
        "service: 1m",
        "service: 60",
        [
            "monitor.yaml:9: windows.service: '60' is no duration: write it with a unit, "
            "as 500ms, 10s, 5m, 1h or 14d; did you mean 60s?"
        ],
    ),
    "retention that is no whole day": (
        "1m: 14d",
        "1m: 36h",
        ["monitor.yaml:12: retention.1m: '36h' is no whole number of days"],
    ),
    "hours kept for less time than minutes": (
        "1h: 400d",
        "1h: 7d",
        ["monitor.yaml:13: retention.1h: must not be shorter than retention.1m (14d)"],
    ),
    "retention shorter than a window": (
        "  features: 10m\nretention:\n  1m: 14d",
        "  features: 24h\nretention:\n  1m: 1d",
        [
            "monitor.yaml:12: retention.1m: must be longer than the longest window (1d) "
            "and stream.max_hold (5m) together"
        ],
    ),
    "disorder longer than the hold": (
        "disorder: 10s",
        "disorder: 5m",
        ["monitor.yaml:15: stream.disorder: must be shorter than stream.max_hold (5m)"],
    ),
    "a size that is none": (
        "1MiB",
        "1 megabyte",
        [
            "monitor.yaml:17: stream.max_record_bytes: '1 megabyte' is no size: "
            "write bytes, or a unit such as 64KiB, 1MiB or 1GB"
        ],
    ),
    "a count that is none": (
        "models: 10\n",
        "models: many\n",
        ["monitor.yaml:19: limits.models: must be a whole number, not 'many'"],
    ),
    "a count of nothing": (
        "models: 10\n",
        "models: 0\n",
        ["monitor.yaml:19: limits.models: must be above 0, not '0'"],
    ),
    "thresholds out of order": (
        "[100, 300]",
        "[300, 100]",
        ["monitor.yaml:20: latency_thresholds_ms: must rise, each one once: 100, 300"],
    ),
    "a threshold of nothing": (
        "[100, 300]",
        "[0, 300]",
        ["monitor.yaml:20: latency_thresholds_ms: must all be above zero"],
    ),
    "a threshold that is no number": (
        "[100, 300]",
        "[100, fast]",
        ["monitor.yaml:20: latency_thresholds_ms[1]: must be a number, not 'fast'"],
    ),
    "a threshold without end": (
        "[100, 300]",
        "[100, .inf]",
        ["monitor.yaml:20: latency_thresholds_ms[1]: must be a number, not '.inf'"],
    ),
    "more models than the limit": (
        "models: 10\nlatency_thresholds_ms: [100, 300]\nmodels:\n",
        "models: 1\nlatency_thresholds_ms: [100, 300]\nmodels:\n  churn: {}\n",
        ["monitor.yaml:21: models: has 2 models; raise limits.models (1)"],
    ),
    "a model that is a list": (
        "  fraud:\n",
        "  churn: [1]\n  fraud:\n",
        [
            "monitor.yaml:22: models.churn: must be a mapping with keys such as "
            "owner, segments, latency_thresholds_ms"
        ],
    ),
    "a model without a name": (
        "  fraud:\n",
        "  '': {}\n  fraud:\n",
        ["monitor.yaml:22: models.'': must not be empty"],
    ),
    "too many labels": (
        "models: 10\n",
        "segment_labels: 0\n",
        ["monitor.yaml:24: models.fraud.segments: has 1 labels; raise limits.segment_labels (0)"],
    ),
    "a port that can't be": (
        "port: 8080",
        "port: 80800",
        ["monitor.yaml:28: web.port: must be at most 65535, not '80800'"],
    ),
    "a level that is none": (
        "level: info",
        "level: loud",
        ["monitor.yaml:30: log.level: must be debug, info, warning or error, not 'loud'"],
    ),
}


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
