"""The section on paging: who is told of alerts, in Alertmanager's own words."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, PositiveInt

from monitor.config.durations import Milliseconds
from monitor.config.paging_templates import TemplatesSection
from monitor.config.secrets import MASK, is_secret
from monitor.config.section import Section, Text

__all__ = ["LevelConfig", "OwnerConfig", "PagingConfig", "PagingSection"]


def _named(receivers: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Receivers hold secrets, in URLs too: shown are their names."""
    return [{"name": receiver.get("name")} for receiver in receivers]


def _masked(shared: dict[str, Any]) -> dict[str, Any]:
    return {key: MASK if is_secret(key) or key.endswith(("_key", "_url")) else v for key, v in shared.items()}


def _word(value: Any) -> Any:
    """`paging: embedded` is as good as `paging: {to: embedded}`."""
    return {"to": value} if isinstance(value, str) else value


class LevelConfig(Section):
    """`receiver` is told `after` so long without an acknowledgement, since the first page."""

    receiver: Text
    after_ms: Annotated[Milliseconds, Field(gt=0, examples=["15m"])]


class OwnerConfig(Section):
    """What holds for the incidents of an owner: who is told next while nobody acknowledges."""

    escalation: tuple[LevelConfig, ...] = ()


class PagingConfig(Section):
    """Who sends the pages: monitor itself (`embedded`), an Alertmanager (`alertmanager`), or nobody (`off`).

    Receivers and routes stand in a `config_file` as Alertmanager reads it, or here by the same keys; without
    a route, all goes to the first receiver, tickets less often than pages. A message lists `max_alerts` at
    most. `repeats` says what becomes of a message that may have arrived, where its provider would show it
    twice: sent again with a mark, or dropped. Alerts that agree in the labels `incident_by` are one incident.
    `templates` (Jinja) replace what messages say.
    """

    to: Literal["off", "embedded", "alertmanager"] = "off"
    config_file: Path | None = None
    alertmanagers: tuple[Text, ...] = ("http://127.0.0.1:9093",)
    external_url: str = ""
    repeats: Literal["mark", "drop"] = "mark"
    max_alerts: PositiveInt = 100
    incident_by: tuple[Text, ...] = ("model", "version", "objective")
    owners: dict[Text, OwnerConfig] = Field(default_factory=dict)
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
