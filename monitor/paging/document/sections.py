"""The parts of the file, by Alertmanager's names. Receivers are read apart, by their kinds."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from monitor.config.durations import Milliseconds
from monitor.config.section import Section, Text
from monitor.paging.receivers.http_config import HttpConfig

__all__ = [
    "FileSection",
    "GlobalSection",
    "InhibitSection",
    "IntervalSection",
    "RouteSection",
    "TimesSection",
]

_Wait = Annotated[Milliseconds, Field(ge=0)]
_Interval = Annotated[Milliseconds, Field(gt=0)]
_Names = tuple[Text, ...]
_Secret = Annotated[str, Field(repr=False)]


class RouteSection(Section):
    """A node of the tree; what it doesn't give it has from the node above."""

    receiver: Text | None = None
    group_by: _Names | None = None
    matchers: tuple[str, ...] = ()
    match: dict[Text, str] = Field(default_factory=dict)
    match_re: dict[Text, str] = Field(default_factory=dict)
    continues: Annotated[bool, Field(alias="continue")] = False
    group_wait_ms: _Wait | None = None
    group_interval_ms: _Interval | None = None
    repeat_interval_ms: _Interval | None = None
    mute_time_intervals: _Names = ()
    active_time_intervals: _Names = ()
    routes: tuple["RouteSection", ...] = ()


class InhibitSection(Section):
    """A rule of inhibition."""

    source_matchers: tuple[str, ...] = ()
    source_match: dict[Text, str] = Field(default_factory=dict)
    source_match_re: dict[Text, str] = Field(default_factory=dict)
    target_matchers: tuple[str, ...] = ()
    target_match: dict[Text, str] = Field(default_factory=dict)
    target_match_re: dict[Text, str] = Field(default_factory=dict)
    equal: _Names = ()


class DaySection(Section):
    """A stretch of the day, its end not in it."""

    start_time: Text
    end_time: Text


class TimesSection(Section):
    """All that is given has to hold."""

    times: tuple[DaySection, ...] = ()
    weekdays: tuple[str, ...] = ()
    days_of_month: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    location: str = ""


class IntervalSection(Section):
    """A time interval by its name."""

    name: Text
    time_intervals: tuple[TimesSection, ...] = ()


class GlobalSection(Section):
    """What holds for all receivers that don't say otherwise."""

    resolve_timeout_ms: _Interval = 300_000
    http_config: HttpConfig | None = None
    smtp_from: str = ""
    smtp_hello: str = "localhost"
    smtp_smarthost: str = ""
    smtp_auth_username: str = ""
    smtp_auth_password: _Secret = ""
    smtp_auth_password_file: Path | None = None
    smtp_auth_secret: _Secret = ""
    smtp_auth_identity: str = ""
    smtp_require_tls: bool = True
    slack_api_url: _Secret = ""
    slack_api_url_file: Path | None = None
    pagerduty_url: str = "https://events.pagerduty.com/v2/enqueue"
    opsgenie_api_url: str = "https://api.opsgenie.com/"
    opsgenie_api_key: _Secret = ""
    opsgenie_api_key_file: Path | None = None
    victorops_api_url: str = ""
    victorops_api_key: _Secret = ""
    victorops_api_key_file: Path | None = None
    telegram_api_url: str = ""
    webex_api_url: str = ""
    wechat_api_url: str = ""
    wechat_api_secret: _Secret = ""
    wechat_api_corp_id: str = ""


class FileSection(Section):
    """The whole file. Each receiver is a mapping that `reading` looks into."""

    global_: Annotated[GlobalSection, Field(alias="global")] = GlobalSection()
    route: RouteSection | None = None
    receivers: tuple[dict[str, Any], ...] = ()
    inhibit_rules: tuple[InhibitSection | None, ...] = ()
    mute_time_intervals: tuple[IntervalSection, ...] = ()
    time_intervals: tuple[IntervalSection, ...] = ()
    templates: tuple[Text, ...] = ()
