"""Asking for retraining, and what people say to it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.clock import rfc3339, rfc3339_or_none
from monitor.errors import QueryError
from monitor.ingest.events.decode import Event
from monitor.ingest.events.kinds import RetrainRequested
from monitor.paging.actions.action import idempotency_key
from monitor.paging.actions.posting import posted
from monitor.paging.incidents.incident import Kind
from monitor.paging.message import Delivery, Result
from monitor.retraining.deciding import Why
from monitor.retraining.following import Followed
from monitor.retraining.looking import Looked, look
from monitor.retraining.policy import Policy
from monitor.sli.canary.question import CanaryQuestion, ask_canary
from monitor.sli.canary.verdict import Verdict
from monitor.sli.windows import Bases
from monitor.store import retraining as kept
from monitor.store.incidents import EntryRow
from monitor.store.retraining import NewRequest, Request
from monitor.store.store import Store

__all__ = ["NOT_ENOUGH", "PASSED", "WORSE", "Retrainer", "gate", "request", "review", "shown_request"]

SOURCE = "monitor/retraining"
NOT_ENOUGH, WORSE, PASSED = "not enough data", "worse", "passed"
_TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retrainer:
    """Looks at the policies and asks. Any number of processes may, each request is made once."""

    store: Store
    policies: Sequence[Policy]
    bases: Bases

    def turn(self, now_ms: int, clock_ms: int) -> list[NewRequest]:
        """Looks at each policy at `now_ms`, event time, rounded down to its minute; returns what was asked.
        Posts to webhooks, blocking for ten seconds each at most."""
        at_ms = now_ms // 60_000 * 60_000
        made = []
        for policy in self.policies:
            looked = look(self.store, policy, self.bases, at_ms)
            if (
                looked.decision.why is Why.ASKS
                and (new := request(self.store, looked, at_ms, clock_ms)) is not None
            ):
                made.append(new)
            self._post(policy, clock_ms)
        return made

    def _post(self, policy: Policy, clock_ms: int) -> None:
        """Posts what is approved and was not posted; what nobody takes for long is given up."""
        for each in kept.list_requests(self.store, policy.name):
            ready = each.approved or not each.needs_approval
            if policy.webhook is None or each.dry_run or each.posted is not None or not ready:
                continue
            came = posted(policy.webhook, _body(each), each.event, _TIMEOUT_S)
            late = clock_ms - (each.reviewed_ms or each.at_ms) > policy.give_up_ms
            if came.result in (Result.DELIVERED, Result.PERMANENT) or late:
                kept.note_posted(self.store, each.id, came.result is Result.DELIVERED, came.detail, clock_ms)
            _tell(each, came)


def request(store: Store, looked: Looked, at_ms: int, clock_ms: int) -> NewRequest | None:
    """Makes a request of what was looked at; None where another process was quicker."""
    policy = looked.policy
    number = 1 + max((one.number for one, _ in looked.requests), default=0)
    new = NewRequest(
        policy=policy.name,
        number=number,
        model=policy.model,
        at_ms=at_ms,
        reason=looked.decision.reason,
        event=idempotency_key(f"{policy.name}\n{policy.model}", number, at_ms),
        dry_run=policy.dry_run,
        needs_approval=policy.needs_approval,
    )
    if not kept.ask(store, new, _event(new, clock_ms)):
        return None
    extra = {"policy": new.policy, "model": new.model, "reason": new.reason, "dry_run": new.dry_run}
    _log.info("retraining requested", extra=extra)
    return new


def _tell(request: Request, came: Delivery) -> None:
    if came.result is not Result.DELIVERED:
        extra = {"policy": request.policy, "request": request.event, "reason": came.detail}
        _log.warning("request to retrain not taken", extra=extra)


def _event(new: NewRequest, clock_ms: int) -> Event:
    data = RetrainRequested(
        model=new.model, reason=new.reason[:1000], policy=new.policy, by="monitor", dry_run=new.dry_run
    )
    said = {name: value for name, value in msgspec.to_builtins(data).items() if value is not None}
    document = msgspec.json.encode(said).decode()
    return Event(SOURCE, new.event, data.kind, data, new.at_ms, clock_ms, 0, document)


def _body(request: Request) -> dict[str, Any]:
    return {
        "action": request.policy,
        "do": "retrain",
        "model": request.model,
        "request": request.event,
        "reason": request.reason,
        "approved_by": request.reviewer,
        "at": rfc3339(request.at_ms),
        "idempotency_key": request.event,
    }


def review(store: Store, id: int, approved: bool, who: str, why: str, now_ms: int) -> Request:
    """Approves a request, or rejects it. Raises QueryError where it does not wait for that."""
    found = next((r for r in kept.list_requests(store) if r.id == id), None)
    if found is None:
        raise QueryError(f"there is no request {id}; `monitor retraining list` shows them")
    if not who.strip() or len(who) > 200:
        raise QueryError("who does it must be said, in 200 characters at most")
    verb = "approved" if approved else "rejected"
    text = f"{verb} retraining of {found.model} (request {id} of {found.policy}){f': {why}' if why else ''}"
    if not kept.review(store, id, approved, who, why, EntryRow(None, now_ms, Kind.ACTION, who, text)):
        said = "is a dry run" if found.dry_run else "needs no approval"
        if found.approved is not None:
            said = f"was {'approved' if found.approved else 'rejected'} by {found.reviewer} already"
        raise QueryError(f"request {id} {said}")
    return found


def gate(store: Store, model: str, followed: Followed, bases: Bases) -> tuple[str, list[str]] | None:
    """Whether what came of the run may be deployed, by the verdict on it as a canary, and why; None before a
    run has a version."""
    if followed.version is None:
        return None
    try:
        found = ask_canary(store, CanaryQuestion(model, followed.version), bases)
    except QueryError as e:
        return NOT_ENOUGH, [str(e)]
    verdicts = {Verdict.WORSE.value: WORSE, Verdict.NOT_ENOUGH.value: NOT_ENOUGH}
    return verdicts.get(found["verdict"], PASSED), found["reasons"]


def shown_request(
    request: Request, followed: Followed, gated: tuple[str, list[str]] | None
) -> dict[str, Any]:
    """As programs read it."""
    run = followed.run
    return {
        "id": request.id,
        "policy": request.policy,
        "model": request.model,
        "at": rfc3339(request.at_ms),
        "status": str(followed.step),
        "reason": request.reason,
        "event": request.event,
        "reviewer": request.reviewer,
        "review": request.review,
        "reviewed": rfc3339_or_none(request.reviewed_ms),
        "webhook": None if request.posted is None else ("accepted" if request.posted else "failed"),
        "webhook_detail": request.posted_detail,
        "run": None if run is None else run.id,
        "log_url": None if run is None else run.log_url,
        "version": followed.version,
        "gate": None if gated is None else gated[0],
        "gate_reasons": [] if gated is None else gated[1],
    }
