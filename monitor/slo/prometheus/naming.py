"""What alerts are called, and the labels, words and links that go with them."""

from dataclasses import dataclass

from monitor.profiles.layout import Kind
from monitor.sli.catalogue import Operational, find_sli
from monitor.slo.objective import Bound, Correct, Fresh, Happened, OnTrial, Outcomes, Source, Traffic, Under

__all__ = ["BUDGET_ALERTS", "POLICY", "Links", "budget_alert"]

POLICY = "ErrorBudgetLow"
_KINDS = (
    *("Availability", "Latency", "Quality", "Drift", "Schema", "LabelCoverage", "Freshness", "Indicator"),
    "Operations",
)
BUDGET_ALERTS = tuple(f"{kind}BudgetBurn" for kind in _KINDS)


@dataclass(frozen=True, slots=True)
class Links:
    """Where runbooks and dashboards are: a runbook is `runbooks`/<alert>.md, and the dashboard takes the
    model as var-model. None: no link."""

    runbooks: str = "runbooks"
    dashboard: str | None = None

    def of(self, alert: str, model: str = "{{ $labels.model }}") -> dict[str, str]:
        """As annotations."""
        links = {"runbook_url": f"{self.runbooks.rstrip('/')}/{alert}.md"}
        if self.dashboard:
            mark = "&" if "?" in self.dashboard else "?"
            links["dashboard"] = f"{self.dashboard}{mark}var-model={model}"
        return links


def budget_alert(source: Source) -> str:
    """The name of the alert of an objective that counts `source`; its runbook is called so too."""
    return f"{_kind(source)}BudgetBurn"


def _kind(source: Source) -> str:
    match source:
        case Outcomes():
            return "Availability"
        case Under():
            return "Latency"
        case Correct():
            return "Quality"
        case Fresh():
            return "Freshness"
        case Traffic() | OnTrial():
            return "Indicator"
        case Happened():
            return "Operations"
        case Bound(sli):
            return _bound(sli)


def _bound(sli: str) -> str:
    if sli == "label_coverage":
        return "LabelCoverage"
    if sli == "schema_violation_rate":
        return "Schema"
    found = find_sli(sli)
    if isinstance(found.formula, Operational):
        return "Operations"
    kind = found.kind
    if sli in ("drifted_share", "model_drift", "label_drift", "attribution_ndcg") or sli.startswith("drift_"):
        return "Drift"
    if kind is Kind.QUALITY:
        return "Quality"
    return "Latency" if sli.startswith("latency_") else "Indicator"
