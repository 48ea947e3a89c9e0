"""Fewer messages by configuration: from the file to what the pager does, and what is said of mistakes."""

from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.config.summary import summary
from monitor.errors import ConfigError
from monitor.paging.configured import pager_settings
from monitor.paging.settings import PageBudget, PagerSettings
from tests.paging.simulated import Simulated, alert

FILE = """\
store: sqlite:///m.db
source: {files: {path: .}}
paging:
  to: embedded
  route: {receiver: team, group_wait: 1s, group_interval: 10s}
  receivers:
  - {name: team, console_configs: [{}]}
"""


def written(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "monitor.yaml"
    path.write_text(FILE + "".join(f"  {line}\n" for line in more.splitlines()))
    return path


def configured(tmp_path: Path, more: str) -> PagerSettings:
    return pager_settings(load_config(written(tmp_path, more), {}).paging)


def test_what_comes_and_goes_is_damped_only_where_that_is_asked(tmp_path: Path) -> None:
    ends = []
    for more in ("", "damping: {starts: 2, within: 10m, calm: 5m}"):
        sim = Simulated(configured(tmp_path, more))
        for begin_ms in range(0, 120_000, 30_000):
            sim.run(begin_ms)
            sim.put(alert("A", begin_ms, begin_ms + 12_000))
        sim.run(600_000)
        ends.append([m.status for _, m in sim.sent].count("resolved"))
    assert ends == [4, 2]


def test_the_check_says_how_it_is_damped(tmp_path: Path) -> None:
    more = "damping: {}\nowners: {risk: {page_budget: {pages: 10, tell: team}}}"
    config = load_config(written(tmp_path, more), {})
    assert pager_settings(config.paging).page_budgets == {"risk": PageBudget(10, 7 * 86_400_000, "team")}
    assert dict(summary(config))["paging"] == (
        "embedded, what begins 3 times in 1h ends after 15m of calm, "
        "team hears of more than 10 pages to risk in 7d"
    )


def test_a_digest_and_the_warning_of_silences_are_as_written(tmp_path: Path) -> None:
    more = (
        "silence_warning: none\n"
        "digests: [{name: drift, matchers: ['kind=drift'], receiver: team, days: [mon], "
        "time_zone: Asia/Tokyo}]"
    )
    settings = configured(tmp_path, more)
    (digest,) = settings.digests
    assert (digest.zone, digest.days, str(digest.at)) == ("Asia/Tokyo", {0}, "09:00:00")
    assert digest.takes({"kind": "drift", "severity": "info"})
    assert not digest.takes({"kind": "drift", "severity": "page"})
    assert settings.silence_warning_ms == 0
    assert configured(tmp_path, "").silence_warning_ms == 3_600_000


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("damping: {starts: 1}", "8: paging.damping.starts: must be at least 2, not '1'"),
        (
            "owners: {risk: {page_budget: {pages: 10, tell: lead}}}",
            "8: paging.owners.risk.page_budget.tell: there is no receiver 'lead'; define it under receivers",
        ),
        (
            "digests: [{name: drift, receiver: chat}]",
            "8: paging.digests[0].receiver: there is no receiver 'chat'; define it under receivers",
        ),
        (
            "digests: [{name: drift, receiver: team, matchers: ['a']}]",
            "8: paging.digests[0].matchers[0]: 'a' is no matcher; write name=\"value\", with =, !=, =~ or !~",
        ),
        (
            "digests: [{name: a, receiver: team}, {name: a, receiver: team}]",
            "8: paging.digests[1].name: a is given twice; rename one",
        ),
        (
            "digests: [{name: a, receiver: team, at: '9'}]",
            "8: paging.digests[0].at: '9' is no time of day; write HH:MM, as 09:00",
        ),
        ("damping: {calm: 0s}", "8: paging.damping.calm: must be above 0, not '0s'"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, more), {})
    assert [p.rsplit("monitor.yaml:", 1)[-1] for p in caught.value.problems] == [said]
