"""What a file leaves to the environment and to other files."""

from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.errors import ConfigError

KAFKA = "source: {{kafka: {{bootstrap_servers: 'b:9092', topics: [t], group_id: '{}'}}}}\n"


def load(directory: Path, text: str, **environ: str) -> Config:
    path = directory / "monitor.yaml"
    path.write_text(text)
    return load_config(path, environ)


def group(directory: Path, text: str, **environ: str) -> str:
    kafka = load(directory, KAFKA.format(text), **environ).source.kafka
    assert kafka is not None
    return kafka.group_id


def problem(directory: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(directory, text, **environ)
    assert len(error.value.problems) == 1
    return error.value.problems[0].removeprefix(f"{directory}/")


def test_a_variable_may_be_a_part_of_a_value(tmp_path: Path) -> None:
    assert group(tmp_path, "monitor-${STAGE}-${N}", STAGE="prod", N="2") == "monitor-prod-2"


def test_a_file_is_read_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    assert group(tmp_path, f"${{file:{tmp_path}/secret}}") == "s3cret"


def test_a_dollar_without_a_brace_is_a_dollar(tmp_path: Path) -> None:
    assert group(tmp_path, "$ConnectionString") == "$ConnectionString"


def test_two_dollars_stand_for_one(tmp_path: Path) -> None:
    assert group(tmp_path, "$${NAME}") == "${NAME}"


def test_what_a_variable_holds_is_not_resolved_again(tmp_path: Path) -> None:
    assert group(tmp_path, "${A}", A="${B}") == "${B}"


def test_a_number_may_come_from_the_environment(tmp_path: Path) -> None:
    text = KAFKA.format("g") + "web: {port: '${PORT}'}"
    assert load(tmp_path, text, PORT="9000").web.port == 9000


def test_a_password_may_hold_what_would_end_it_in_a_url(tmp_path: Path) -> None:
    text = KAFKA.format("g") + "store: postgresql://monitor:${PASSWORD}@db/monitor"
    config = load(tmp_path, text, PASSWORD="p@ss/word:1")
    assert config.secrets() == ("p@ss/word:1",)
    assert config.store == "postgresql://monitor:p%40ss%2Fword%3A1@db/monitor"


def test_a_whole_url_is_taken_as_it_is(tmp_path: Path) -> None:
    text = KAFKA.format("g") + "store: ${URL}"
    assert load(tmp_path, text, URL="postgresql://u:p%40@h/d").store == "postgresql://u:p%40@h/d"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NOT_SET}", "the environment variable NOT_SET is not set; set it"),
        ("${OPEN", "${OPEN has no closing brace; a plain ${ is written $${"),
        ("${A-B}", "${A-B} is neither ${NAME} nor ${file:/path}; a plain ${ is written $${"),
        ("${file:/not/there}", "the file /not/there can't be read: no such file or directory"),
    ],
)
def test_says_what_is_missing(tmp_path: Path, text: str, expected: str) -> None:
    assert problem(tmp_path, KAFKA.format(text)) == f"monitor.yaml:1: source.kafka.group_id: {expected}"


def test_a_missing_variable_brings_no_second_mistake(tmp_path: Path) -> None:
    text = KAFKA.format("g") + "web:\n  port: ${PORT}\n"
    assert (
        problem(tmp_path, text)
        == "monitor.yaml:3: web.port: the environment variable PORT is not set; set it"
    )


def test_a_missing_secret_brings_no_complaint_about_the_others(tmp_path: Path) -> None:
    text = """\
source:
  kafka:
    bootstrap_servers: b:9093
    topics: [t]
    options:
      security.protocol: SASL_SSL
      sasl.mechanism: PLAIN
      sasl.username: monitor
      sasl.password: ${KAFKA_PASSWORD}
"""
    assert problem(tmp_path, text) == (
        "monitor.yaml:9: source.kafka.options.sasl.password: "
        "the environment variable KAFKA_PASSWORD is not set; set it"
    )
