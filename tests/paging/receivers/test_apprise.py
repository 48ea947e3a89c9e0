"""Services that apprise knows: what goes to them, what comes of it, and Alertmanager's own receivers."""

import socket
from pathlib import Path
from typing import Any

import pytest

from monitor.config.validating import validated
from monitor.errors import ConfigError
from monitor.paging.alert import Status
from monitor.paging.document import load
from monitor.paging.message import Delivery, Result
from monitor.paging.receivers import KINDS
from monitor.paging.receivers.apprise import AppriseConfig
from monitor.paging.receivers.apprise_sending import dedup_url, known
from monitor.paging.receivers.chats import discord_url, teams_url, telegram_url, webex_url
from monitor.paging.receivers.email import EmailConfig
from monitor.paging.receivers.email import url as email_url
from monitor.paging.receivers.notices import notices
from monitor.paging.receivers.pushes import pushover_url, sns_url, victorops_url
from monitor.paging.receivers.slack import url as slack_url
from tests.paging.messages import message
from tests.paging.providers import HttpProvider, Reply

SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7dd"
HOOK = f"https://hooks.slack.com/services/{SLACK}"


def sent(reply: Reply, timeout_s: float = 10.0, **changed: Any) -> tuple[Delivery, HttpProvider]:
    with HttpProvider(lambda asked: reply) as provider:
        port = provider.url.rpartition(":")[2]
        config = AppriseConfig(url=f"json://user:passw0rd@127.0.0.1:{port}/hookhook?retry=0")
        delivery = KINDS["apprise"].make(config).send(message(**changed), timeout_s)
    return delivery, provider


def test_title_and_text_arrive() -> None:
    delivery, provider = sent(Reply(200))
    assert delivery == Delivery(Result.DELIVERED, "apprise sent it")
    document = provider.asked[0].json
    assert document["title"] == "[PAGE] fraud: availability spends its budget 14.4 times too fast"
    assert "31.4 %" in document["message"]
    assert document["type"] == "failure"
    assert sent(Reply(200), status=Status.RESOLVED)[1].asked[0].json["type"] == "success"


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (Reply(400), Result.PERMANENT),
        (Reply(403), Result.PERMANENT),
        (Reply(429), Result.TRANSIENT),
        (Reply(500), Result.TRANSIENT),
        (Reply(503), Result.TRANSIENT),
        (Reply(drops=True), Result.DOUBTFUL),
    ],
)
def test_it_fails_as_it_should(reply: Reply, result: Result) -> None:
    delivery, _ = sent(reply)
    assert delivery.result is result, delivery
    assert "passw0rd" not in delivery.detail
    assert "hookhook" not in delivery.detail


def test_no_answer_in_time_is_doubtful() -> None:
    assert sent(Reply(hangs=True), 0.5)[0].result is Result.DOUBTFUL


def test_a_port_that_nobody_listens_on_can_be_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"json://127.0.0.1:{free.getsockname()[1]}"
    assert KINDS["apprise"].make(AppriseConfig(url=url)).send(message(), 5.0).result is Result.TRANSIENT


def test_the_url_may_stand_in_a_file(tmp_path: Path) -> None:
    config = AppriseConfig(url_file=tmp_path / "url")
    sender = KINDS["apprise"].make(config)
    assert sender.send(message(), 5.0).result is Result.PERMANENT
    assert not sender.dedups
    (tmp_path / "url").write_text("nothing://that.is.known\n")
    assert sender.send(message(), 5.0) == Delivery(
        Result.PERMANENT, "its URL is none that apprise knows; correct it"
    )
    (tmp_path / "url").write_text("pagerduty://A@B\n")
    assert sender.dedups


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("pagerduty://A@B", "pagerduty://A@B?dedup=a%2Fb&action=map"),
        ("pagerduty://A@B?region=eu", "pagerduty://A@B?region=eu&dedup=a%2Fb&action=map"),
        ("victorops://A@B", "victorops://A@B?entity_id=a%2Fb&action=map"),
        ("pagerduty://A@B?dedup=mine", "pagerduty://A@B?dedup=mine"),
        ("ilert://A?action=alert", "ilert://A?action=alert&dedup=a%2Fb"),
        ("slack://A/B/C", "slack://A/B/C"),
    ],
)
def test_a_key_goes_along_where_the_service_knows_one(url: str, found: str) -> None:
    assert dedup_url(url, "a/b") == found


class _Strict:
    """Fails where anything is wrong with a section."""

    def add(self, place: Any, sentence: str) -> None:
        raise AssertionError(f"{place}: {sentence}")

    def within(self, place: Any) -> bool:
        return False

    covered = within


def read(kind: str, document: dict[str, Any]) -> Any:
    return validated(KINDS[kind].config, dict(document), _Strict())


MAIL = {
    "to": "ops@example.com, lead@example.com",
    "from": "Monitor <m@example.com>",
    "smarthost": "mx.example.com:587",
}
SNS = {
    "sigv4": {
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "wJalrXUtnFEMI/K7MDENG",
        "region": "eu-west-1",
    }
}
BOT = "123456789:alphanumeric_ABCDEFGH-abcdefghi1234"
ASKED = (
    "smtp=mx.example.com&from=Monitor%20%3Cm%40example.com%3E&to=ops%40example.com%2Clead%40example.com&mode="
)
WORKFLOW = (
    "https://prod-01.westeurope.logic.azure.com:443/workflows/abcdef0123456789/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcdefghijk"
)
ARN = "arn:aws:sns:us-east-1:123456789012:pages"
GUID = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("kind", "make", "document", "url"),
    [
        ("slack", slack_url, {"api_url": HOOK, "channel": "#ops"}, f"slack://{SLACK}/%23ops?footer=no"),
        (
            "slack",
            slack_url,
            {"api_url": HOOK, "channel": "@ana", "username": "monitor"},
            f"slack://monitor@{SLACK}/%40ana?footer=no",
        ),
        ("email", email_url, MAIL, f"mailtos://mx.example.com:587?{ASKED}starttls"),
        (
            "email",
            email_url,
            {**MAIL, "require_tls": False, "auth_username": "u@x", "auth_password": "p/w"},
            f"mailto://u%40x:p%2Fw@mx.example.com:587?{ASKED}insecure",
        ),
        (
            "discord",
            discord_url,
            {"webhook_url": "https://discord.com/api/webhooks/123456789012345678/" + "a" * 64},
            "discord://123456789012345678/" + "a" * 64,
        ),
        (
            "telegram",
            telegram_url,
            {"bot_token": BOT, "chat_id": -100123},
            f"tgram://{BOT}/-100123?detect=no",
        ),
        (
            "webex",
            webex_url,
            {"room_id": "Y2lz", "http_config": {"authorization": {"credentials": "t" * 80}}},
            f"wxteams://{'t' * 80}/Y2lz",
        ),
        ("msteamsv2", teams_url, {"webhook_url": WORKFLOW}, None),
        (
            "pushover",
            pushover_url,
            {"user_key": "u" * 30, "token": "a" * 30, "priority": "2"},
            f"pover://{'u' * 30}@{'a' * 30}/?priority=emergency",
        ),
        ("victorops", victorops_url, {"api_key": GUID, "routing_key": "risk"}, f"victorops://risk@{GUID}"),
        (
            "sns",
            sns_url,
            {**SNS, "topic_arn": ARN},
            "sns://AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI%2FK7MDENG/eu-west-1/%23pages",
        ),
        (
            "sns",
            sns_url,
            {**SNS, "phone_number": "+15551231234"},
            "sns://AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI%2FK7MDENG/eu-west-1/15551231234",
        ),
    ],
)
def test_alertmanagers_receivers_become_urls(
    kind: str, make: Any, document: dict[str, Any], url: str | None
) -> None:
    config = read(kind, document)
    assert url is None or make(config) == url
    assert known(make(config))
    assert list(KINDS[kind].problems(config)) == []
    secrets = [v for k, v in document.items() if k in ("api_key", "bot_token", "token", "auth_password")]
    assert not any(secret in repr(config) for secret in secrets)


@pytest.mark.parametrize(
    ("kind", "document", "problem"),
    [
        ("slack", {"api_url": "https://chat.example.com/hooks/x"}, "isn't a webhook of hooks.slack.com"),
        ("discord", {"webhook_url": "https://chat.example.com/x"}, "isn't a webhook of discord.com"),
        (
            "telegram",
            {"bot_token": "1:a", "chat_id": 5, "api_url": "https://t.example.com"},
            "apprise knows only",
        ),
        ("telegram", {"bot_token": "1:a"}, "needs chat_id"),
        ("webex", {"room_id": "x"}, "needs room_id, and the bot's token"),
        (
            "msteams",
            {"webhook_url": "https://acme.webhook.office.com/webhookb2/x"},
            "is an Office 365 connector",
        ),
        ("sns", {"topic_arn": ARN}, "needs sigv4 with access_key"),
        ("victorops", {"api_key": "k", "routing_key": "{{ .GroupLabels.team }}"}, "needs routing_key"),
        ("pushover", {"user_key": "u"}, "needs token"),
        ("email", {"to": "ops@example.com"}, "needs smarthost as host:port"),
        ("email", {**MAIL, "to": ""}, "to names no address"),
        ("email", {**MAIL, "auth_secret": "s"}, "CRAM-MD5"),
        ("apprise", {"url": "gibberish"}, "is nothing that apprise can reach"),
    ],
)
def test_what_apprise_can_not_do_is_said(kind: str, document: dict[str, Any], problem: str) -> None:
    ((_, sentence),) = KINDS[kind].problems(read(kind, document))
    assert sentence.startswith(problem)


FILE = f"""\
global:
  smtp_smarthost: mx.example.com:25
  smtp_from: m@example.com
  smtp_require_tls: false
  slack_api_url: {HOOK}
  pagerduty_url: https://events.eu.pagerduty.com/v2/enqueue
  opsgenie_api_key: genie
  http_config: {{proxy_url: 'http://proxy.example.com:3128'}}
route: {{receiver: ops}}
receivers:
- name: ops
  email_configs: [{{to: ops@example.com, headers: {{Subject: '{{{{ .GroupLabels.job }}}}', X-A: b}}}}]
  slack_configs:
  - channel: '#ops'
    title: '{{{{ template "slack.title" . }}}}'
    text: '{{{{ range .Alerts }}}}x{{{{ end }}}}'
    color: good
  - {{channel: '#two', title: 'Model {{{{ labels.model }}}}'}}
  pagerduty_configs: [{{routing_key: R, details: {{n: '{{{{ .Alerts | len }}}}'}}}}]
  opsgenie_configs: [{{}}]
"""


def test_what_global_says_goes_for_all(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(FILE)
    configs = {i.kind: i.config for i in load(file, {}).receivers["ops"].integrations}
    assert isinstance(configs["email"], EmailConfig)
    assert email_url(configs["email"]).startswith("mailto://mx.example.com:25?")
    assert not configs["email"].send_resolved
    assert configs["pagerduty"].url == "https://events.eu.pagerduty.com/v2/enqueue"
    assert configs["pagerduty"].http_config.proxy_url == "http://proxy.example.com:3128"
    assert configs["opsgenie"].api_key == "genie"
    assert slack_url(configs["slack"]).startswith("slack://T1JJ3T3L2/")


def test_what_works_otherwise_than_written_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(FILE + "templates: ['/etc/alertmanager/*.tmpl']\n")
    go = "is a Go template of Alertmanager, which isn't run; "
    assert dict(notices(load(file, {}))) == {
        "templates": "aren't read, nor run: /etc/alertmanager/*.tmpl; messages say what ours do",
        "receivers.ops.email_configs[0].subject": go + "ours is used instead",
        "receivers.ops.email_configs[0].other_headers": "isn't used: apprise has nothing for it",
        "receivers.ops.slack_configs[0].title": go + "ours is used instead",
        "receivers.ops.slack_configs[0].text": go + "ours is used instead",
        "receivers.ops.slack_configs[0].color": "isn't used: apprise has nothing for it",
        "receivers.ops.pagerduty_configs[0].details.n": go + "it is left out",
    }


def test_a_mistake_has_its_place(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(
        "route: {receiver: ops}\nreceivers:\n- name: ops\n"
        "  discord_configs:\n  - webhook_url: https://chat.example.com/x/geheim\n"
    )
    with pytest.raises(ConfigError) as raised:
        load(file, {})
    (problem,) = raised.value.problems
    assert problem.endswith(
        "alertmanager.yml:5: receivers[0].discord_configs[0].webhook_url: isn't a webhook of discord.com; "
        "use apprise_configs for another service"
    )
