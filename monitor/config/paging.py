"""The section on paging: who is told of alerts, in Alertmanager's own words."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PositiveInt

from monitor.config.durations import DAY_MS, Days, Milliseconds
from monitor.config.objectives import zone
from monitor.config.paging_templates import TemplatesSection
from monitor.config.secrets import MASK, is_secret
from monitor.config.section import Section, Text

__all__ = ["HoursConfig", "LevelConfig", "OwnerConfig", "PagingConfig", "PagingSection", "RotationConfig"]
__all__ += ["hidden"]


def _named(receivers: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Receivers hold secrets, in URLs too: shown are their names."""
    return [{"name": receiver.get("name")} for receiver in receivers]


def _masked(shared: dict[str, Any]) -> dict[str, Any]:
    return {key: MASK if is_secret(key) or key.endswith(("_key", "_url")) else v for key, v in shared.items()}


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"{text!r} is no time of day; write HH:MM, as 09:00")
    return text


def _web_url(text: str) -> str:
    if text and not re.match(r"https?://[^/]", text):
        raise ValueError(f"{text!r} is no address of a server; write https://host or http://host:8080")
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as 2026-11-02") from None
    return text


def _moment(text: str) -> str:
    try:
        known = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"{text!r} is no moment; write it with its offset, as 2026-12-24T00:00:00+01:00")
    return text


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Day = Annotated[str, AfterValidator(_day)]
Moment = Annotated[str, AfterValidator(_moment)]


def _never(value: Any) -> Any:
    return 0 if value in (None, "none", "off", False) else value


def _word(value: Any) -> Any:
    """`paging: embedded` is as good as `paging: {to: embedded}`."""
    return {"to": value} if isinstance(value, str) else value


class LevelConfig(Section):
    """`receiver` is told `after` so long without an acknowledgement, since the first page; at once where the
    budget burns faster than `above_burn`."""

    receiver: Text
    after_ms: Annotated[Milliseconds, Field(gt=0, examples=["15m"])]
    above_burn: Annotated[float, Field(gt=0)] | None = None


class HoursConfig(Section):
    """From `from` to `to` of the local day, over midnight where that is earlier; on `days`, else on all."""

    from_: Annotated[
        TimeOfDay, Field(validation_alias="from", serialization_alias="from", examples=["18:00"])
    ]
    to: Annotated[TimeOfDay, Field(examples=["08:00"])]
    days: tuple[Weekday, ...] = ()
    time_zone: Annotated[Text, AfterValidator(zone)] = "UTC"


class PageBudgetConfig(Section):
    """More than `pages` in any time of `per` are too many: the receiver `tell` is told so, once."""

    pages: Annotated[int, Field(ge=1, le=10_000, examples=[10])]
    per_ms: Annotated[Milliseconds, Field(gt=0)] = 7 * DAY_MS
    tell: Annotated[Text, Field(examples=["risk-lead"])]


class OwnerConfig(Section):
    """What holds for the incidents of an owner: who is told next while nobody acknowledges, in which hours
    tickets wait, and how many pages are too many."""

    escalation: tuple[LevelConfig, ...] = ()
    quiet_hours: HoursConfig | None = None
    page_budget: PageBudgetConfig | None = None


class DampingConfig(Section):
    """An alert that began to fire `starts` times `within` that time flaps: its end is told once it has been
    `calm` for so long."""

    starts: Annotated[int, Field(ge=2, le=100)] = 3
    within_ms: Annotated[Milliseconds, Field(gt=0)] = 3_600_000
    calm_ms: Annotated[Milliseconds, Field(gt=0)] = 900_000


class DigestConfig(Section):
    """Tickets and infos that match all `matchers` are told to `receiver` together, `at` that local time on
    `days`, else on all, instead of one by one to the receiver of their route."""

    name: Annotated[Text, Field(examples=["drift"])]
    matchers: tuple[Text, ...] = ()
    receiver: Annotated[Text, Field(examples=["risk-chat"])]
    at: Annotated[TimeOfDay, Field(examples=["09:00"])] = "09:00"
    days: tuple[Weekday, ...] = ()
    time_zone: Annotated[Text, AfterValidator(zone)] = "UTC"


class LayerConfig(Section):
    """`people`, names of receivers, take turns of `every` from `since` on; with `hours` only then."""

    people: tuple[Text, ...] = ()
    every_days: Annotated[Days, Field(gt=0)] = 7
    since: Annotated[Day, Field(examples=["2026-11-02"])]
    handover: TimeOfDay = "09:00"
    time_zone: Annotated[Text, AfterValidator(zone)] = "UTC"
    hours: HoursConfig | None = None


class OverrideConfig(Section):
    """`person` in place of whoever would be on call from `from` to `to`."""

    person: Text
    from_: Annotated[
        Moment,
        Field(validation_alias="from", serialization_alias="from", examples=["2026-12-24T00:00:00+01:00"]),
    ]
    to: Annotated[Moment, Field(examples=["2026-12-26T00:00:00+01:00"])]
    reason: str = ""


class RotationConfig(Section):
    """Who is on call: the first of the `layers` that has somebody decides, `overrides` before all."""

    layers: tuple[LayerConfig, ...] = ()
    overrides: tuple[OverrideConfig, ...] = ()


class LimitConfig(Section):
    """At most `times` within any stretch of the length of `per`."""

    times: PositiveInt
    per_ms: Annotated[Milliseconds, Field(gt=0, examples=["1d"])]


def hidden(_: dict[str, Any]) -> dict[str, str]:
    """A webhook without what only its receiver is to know."""
    return {"url": MASK}


class ActionConfig(Section):
    """When an alert that matches all `matchers` fires openly, the `webhook` (keys of a `webhook_configs`
    entry) is asked to retrain the model, to roll it back to `version`, or for whatever it does: once for an
    incident, no more often than `limit` says, and not at all before `dry_run` is taken back."""

    name: Annotated[Text, Field(examples=["roll-back"])]
    do: Literal["retrain", "rollback", "webhook"]
    matchers: Annotated[tuple[Text, ...], Field(min_length=1, examples=[['objective="availability"']])]
    webhook: Annotated[dict[str, Any], PlainSerializer(hidden), Field(examples=[{"url": "http://x/"}])]
    version: Text = "previous"
    once_per_incident: bool = True
    limit: LimitConfig | None = None
    dry_run: bool = True


class FallbackConfig(Section):
    """`receiver` is told of what could not be delivered `after` so long."""

    receiver: Annotated[Text, Field(examples=["lead"])]
    after_ms: Annotated[Milliseconds, Field(gt=0, examples=["5m"])] = 300_000


class PagingConfig(Section):
    """Who sends the pages: monitor itself (`embedded`), an Alertmanager (`alertmanager`), or nobody (`off`).

    Receivers and routes stand in a `config_file` as Alertmanager reads it, or here by the same keys; without
    a route, all goes to the first receiver, tickets less often than pages. A message lists `max_alerts` at
    most. `repeats` says what becomes of a message that may have arrived, where its provider would show it
    twice: sent again with a mark, or dropped. Alerts that agree in the labels `incident_by` are one incident.
    `actions` are done besides. Where a receiver can't be reached, its entry in `fallbacks` says who is told,
    else `fallback`.
    `damping` keeps what comes and goes one page, `digests` tell together what can wait, and
    `silence_warning` before a silence ends (none: never) it is said whom it keeps quiet.
    `templates` (Jinja) replace what messages say. Messages link to `external_url`, where people reach this
    server; a link that acknowledges holds for `link_valid`, and is signed with what is in `link_key_file`,
    else with a key that the store keeps.
    A rotation is a receiver too, `oncall-<name>`: it reaches whoever is on call.
    """

    to: Literal["off", "embedded", "alertmanager"] = "off"
    config_file: Path | None = None
    alertmanagers: tuple[Text, ...] = ("http://127.0.0.1:9093",)
    external_url: Annotated[str, AfterValidator(_web_url)] = ""
    link_key_file: Path | None = None
    link_valid_ms: Annotated[Milliseconds, Field(gt=0, le=30 * DAY_MS)] = DAY_MS
    repeats: Literal["mark", "drop"] = "mark"
    max_alerts: PositiveInt = 100
    incident_by: tuple[Text, ...] = ("model", "version", "objective")
    owners: dict[Text, OwnerConfig] = Field(default_factory=dict)
    rotations: dict[Text, RotationConfig] = Field(default_factory=dict)
    actions: tuple[ActionConfig, ...] = ()
    fallback: FallbackConfig | None = None
    fallbacks: dict[Text, FallbackConfig] = Field(default_factory=dict)
    damping: DampingConfig | None = None
    digests: tuple[DigestConfig, ...] = ()
    silence_warning_ms: Annotated[Milliseconds, BeforeValidator(_never), Field(ge=0)] = 3_600_000
    global_: Annotated[
        dict[str, Any],
        Field(validation_alias="global", serialization_alias="global"),
        PlainSerializer(_masked),
    ] = Field(default_factory=dict)
    route: dict[str, Any] | None = None
    receivers: Annotated[tuple[dict[str, Any], ...], PlainSerializer(_named)] = ()
    inhibit_rules: tuple[dict[str, Any], ...] = ()
    time_intervals: tuple[dict[str, Any], ...] = ()
    templates: Annotated[TemplatesSection, Field(repr=False)] = TemplatesSection()


PagingSection = Annotated[PagingConfig, BeforeValidator(_word)]
