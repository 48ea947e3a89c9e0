"""How policies and their requests stand, for the command line and the API."""

from dataclasses import dataclass
from typing import Any

from monitor.config import Config
from monitor.retraining.asking import gate, shown_request
from monitor.retraining.looking import followed, look, model_events
from monitor.retraining.policy import GIVE_UP_MS
from monitor.retraining.settings import policies
from monitor.store.retraining import Request, list_requests
from monitor.store.store import Store

__all__ = ["Standing", "standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Policies with what each comes to, and the requests of all, the newest first."""

    policies: list[dict[str, Any]]
    requests: list[dict[str, Any]]


def standing(store: Store, config: Config, now_ms: int) -> Standing:
    """How they stand at `now_ms`, event time; requests of policies that are gone, too."""
    known = {policy.name: policy for policy in policies(config)}
    looked = [look(store, policy, config.windows, now_ms) for policy in known.values()]
    shown = [
        {
            "policy": one.policy.name,
            "model": one.policy.model,
            "now": str(one.decision.why),
            "reason": one.decision.reason,
            "dry_run": one.policy.dry_run,
        }
        for one in looked
    ]
    requests = [each for one in looked for each in one.requests]
    gone: dict[str, list[Request]] = {}
    for request in list_requests(store):
        if request.policy not in known:
            gone.setdefault(request.policy, []).append(request)
    for some in gone.values():
        requests += followed(some, model_events(store, some[-1].model, now_ms), GIVE_UP_MS, now_ms)
    requests.sort(key=lambda pair: pair[0].id, reverse=True)
    rows = [shown_request(r, f, gate(store, r.model, f, config.windows)) for r, f in requests]
    return Standing(shown, rows)
