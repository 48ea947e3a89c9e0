"""`monitor page test`: what each integration answered, and 1 where one failed."""

from pathlib import Path

import pytest

from tests.cli.run import run
from tests.paging.providers import HttpProvider, Pagerduty, Reply


def written(tmp_path: Path, receivers: str) -> str:
    file = tmp_path / "alertmanager.yml"
    file.write_text(f"route: {{receiver: ops}}\nreceivers:\n- name: ops\n{receivers}")
    return str(file)


def test_each_integration_says_what_came_back(tmp_path: Path) -> None:
    with Pagerduty() as pagerduty, HttpProvider() as hook:
        file = written(
            tmp_path,
            f"  webhook_configs: [{{url: '{hook.url}/hook/secretsecret'}}]\n"
            f"  pagerduty_configs: [{{routing_key: {'R' * 32}, url: '{pagerduty.url}/v2/enqueue'}}]\n",
        )
        ran = run("page", "test", "--receiver", "ops", "--config.file", file)
        assert ran.out.splitlines() == [
            "ops/webhook[0] page: delivered (answered 200)",
            "ops/pagerduty[1] page: delivered (answered 202)",
            "ops/pagerduty[1] end: delivered (answered 202)",
        ]
        assert ran.code == 0
        assert pagerduty.alerts == {}
        assert pagerduty.pages == 1
        assert pagerduty.asked[0].json["payload"]["summary"] == "Test page for ops: nothing is wrong"


def test_a_failure_is_told_and_fails(tmp_path: Path) -> None:
    with HttpProvider(lambda asked: Reply(404, f"no {asked.path}".encode())) as hook:
        file = written(tmp_path, f"  webhook_configs: [{{url: '{hook.url}/hook/secretsecret'}}]\n")
        ran = run("page", "test", "--receiver", "ops", "--config.file", file)
    assert ran.code == 1
    assert (
        ran.out
        == "ops/webhook[0] page: failed, and will until something is corrected (answered 404: no ***)\n"
    )


def test_a_first_try_needs_no_account(tmp_path: Path) -> None:
    ran = run("page", "test", "-r", "ops", "--config.file", written(tmp_path, "  console_configs: [{}]\n"))
    assert ran.code == 0
    assert "Test page for ops: nothing is wrong" in ran.err
    assert ran.out == "ops/console[0] page: delivered (written to standard error)\n"


def test_it_reads_our_own_file_too(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text(
        "source: {files: {path: .}}\n"
        "paging:\n  to: embedded\n  templates: {title: 'Probe fuer {{ receiver }}'}\n"
        "  receivers: [{name: ops, console_configs: [{}]}]\n"
    )
    ran = run("page", "test", "-r", "ops", "-c", str(file))
    assert (ran.code, ran.out) == (0, "ops/console[0] page: delivered (written to standard error)\n")
    assert "Probe fuer ops" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--receiver", "nobody"), 2, "there is no receiver 'nobody'; there are ops"),
        (("--receiver", "ops"), 2, "the receiver 'ops' has nothing to send with"),
        (("--receiver",), 2, "requires an argument"),
    ],
)
def test_a_wrong_question_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = run("page", "test", "--config.file", written(tmp_path, ""), *arguments)
    assert ran.code == code
    assert said in ran.err


def test_a_template_of_go_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text(
        "source: {files: {path: .}}\n"
        "paging:\n  to: embedded\n  receivers:\n  - name: ops\n"
        "    slack_configs:\n    - api_url: https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7dd\n"
        "      title: '{{ template \"x\" . }}'\n"
    )
    ran = run("check", "-c", str(file))
    assert (
        "warning: paging.receivers.ops.slack_configs[0].title: is a Go template of Alertmanager, which isn't "
        "run; ours is used instead" in ran.out
    )
