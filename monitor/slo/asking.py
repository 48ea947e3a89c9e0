"""Asking a store how its objectives stand: the one way for the command line, the API and notebooks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from monitor.errors import QueryError
from monitor.records import Carries
from monitor.sli.question import Time, unknown
from monitor.sli.windows import Bases
from monitor.slo import alert_log, budget
from monitor.slo.alert_log import KeptTransition
from monitor.slo.alert_question import AlertQuestion
from monitor.slo.counting import Ledger
from monitor.slo.excluding import NewExclusion, checked, taken_out
from monitor.slo.health import Decision, decide, health
from monitor.slo.objective import Objective, Subject
from monitor.slo.question import SloQuestion, Stood, chosen, worst_first
from monitor.slo.rule import Severity
from monitor.slo.settings import SloSettings
from monitor.slo.standing import AlertState, Exclusion, Health, Phase, Standing
from monitor.store import names, objectives, ownership
from monitor.store.store import Store

__all__ = ["NO_OBJECTIVES", "Asking"]

NO_OBJECTIVES = (
    "no objectives: write them under models.MODEL.objectives in the configuration and give it with -c; "
    "`monitor slo init --model MODEL` writes a start"
)
_HOUR_S = 3600
# Alerts are evaluated every base window; what is older than this is not being evaluated any more.
_BEHIND_S = 900


class Asking:
    """Answers from a store for the objectives of `settings`. Thread-safe; reads anew with each question.

    `now` in the answers is event time: that of the last evaluation of alerts, or without one the end of the
    newest base window that is closed.
    """

    def __init__(self, store: Store, bases: Bases, settings: SloSettings) -> None:
        self._store, self._bases, self._settings = store, bases, settings

    def evaluated_s(self) -> int | None:
        """Until when alerts are evaluated; None where they never were."""
        return alert_log.evaluated_s(self._store)

    def now_s(self) -> int | None:
        """The moment that answers are for; None for a store without records."""
        evaluated_s = self.evaluated_s()
        if evaluated_s is not None:
            return evaluated_s
        marks = [p.marks.watermark_ms for p in ownership.list_progress(self._store, Carries.RECORDS)]
        newest_ms = max((ms for ms in marks if ms is not None), default=None)
        base_s = self._bases.service_s
        return None if newest_ms is None else newest_ms // 1000 // base_s * base_s

    def behind_s(self, now_ms: int) -> float | None:
        """How far that is behind the clock, s, where it is more than it should be."""
        now_s = self.now_s()
        behind_s = 0.0 if now_s is None else now_ms / 1000 - now_s
        return behind_s if behind_s > _BEHIND_S else None

    def standings(self, question: SloQuestion, now_ms: int) -> list[Stood]:
        """How the objectives stand that the question is about, the worst first. Reads the store.

        Raises QueryError, with what to do, where it names what is not there.
        """
        found = self._all(question, now_ms)
        if question.version is None:
            return found
        of_version = [one for one in found if one.standing.subject.version == question.version]
        if found and not of_version:
            raise _no_version(question.version, found)
        return of_version

    def _all(self, question: SloQuestion, now_ms: int) -> list[Stood]:
        """The same, whatever the version."""
        found = chosen(self._settings.objectives, question, names.models(self._store))
        at_s = self._at_s(question, now_ms)
        return worst_first(self._stood(found, at_s, self._states(question, at_s))) if found else []

    def _at_s(self, question: SloQuestion, now_ms: int) -> int:
        if question.at_ms is not None:
            base_s = self._bases.service_s
            return question.at_ms // 1000 // base_s * base_s
        now_s = self.now_s()
        return now_ms // 1000 if now_s is None else now_s

    def _states(self, question: SloQuestion, at_s: int) -> Sequence[AlertState]:
        """The alerts as they are, or as they were at the time that is asked about."""
        if question.at_ms is None:
            return self._current(question.model)
        kept = alert_log.list_transitions(self._store, question.model, to_s=at_s + 1)
        last = {k.transition.key: k.transition for k in reversed(kept)}
        return [
            AlertState(key, t.after, t.severity, t.at_s, at_s, why=t.why)
            for key, t in last.items()
            if t.after is not Phase.INACTIVE
        ]

    def _stood(self, found: Sequence[Objective], at_s: int, states: Sequence[AlertState]) -> Iterator[Stood]:
        by_subject: dict[tuple[str, Subject], list[AlertState]] = defaultdict(list)
        for state in states:
            by_subject[state.key.objective, state.key.subject].append(state)
        exclusions = self.exclusions()
        ledger = self._ledger(found, exclusions, at_s)
        for objective in found:
            for subject in ledger.subjects(objective.meter):
                standing = self._standing(ledger, exclusions, objective, subject, at_s)
                mine = tuple(by_subject[objective.name, subject])
                yield Stood(objective, replace(standing, alerts=mine))

    def _ledger(self, found: Sequence[Objective], exclusions: Sequence[Exclusion], at_s: int) -> Ledger:
        windows = [c.window_s for o in found for rule in o.rules for c in rule.clauses]
        ledger = Ledger(
            self._store,
            self._bases,
            [o.meter for o in found],
            fine_s=max(windows, default=0) + _HOUR_S,
            coarse_s=max(at_s - o.period.bounds(at_s)[0] for o in found),
            exclusions=exclusions,
        )
        ledger.refresh(at_s)
        return ledger

    @staticmethod
    def _standing(
        ledger: Ledger, exclusions: Sequence[Exclusion], objective: Objective, subject: Subject, at_s: int
    ) -> Standing:
        meter, name = objective.meter, objective.name
        reported = ledger.tally(meter, subject, Time.PREDICTION, objective=name)
        learned = ledger.tally(meter, subject, Time.LABEL, objective=name)
        whole = ledger.tally(meter, subject, Time.PREDICTION, objective=name, excluded=False)
        from_s, _ = objective.period.bounds(at_s)
        taken = taken_out(whole, objective, exclusions, from_s, at_s)
        return budget.standing(objective, subject, reported, learned, at_s, taken)

    def health(self, question: SloQuestion, now_ms: int) -> list[tuple[Health, list[Stood]]]:
        """The health of each model that has objectives, the worst first, with how these stand."""
        by_model: dict[str, list[Stood]] = defaultdict(list)
        for one in self.standings(question, now_ms):
            by_model[one.objective.meter.model].append(one)
        return [(health(model, found), found) for model, found in by_model.items()]

    def gate(self, question: SloQuestion, now_ms: int) -> Decision:
        """Whether the model may be deployed in that version (None: in any)."""
        found = self._all(replace(question, version=None), now_ms)
        known = {(one.objective.name, one.standing.subject) for one in found}
        states = self._states(question, self._at_s(question, now_ms))
        watched = [s for s in states if (s.key.objective, s.key.subject) not in known]
        if question.version is None:
            return decide(found, watched)
        of = (None, question.version)
        return decide(
            [one for one in found if one.standing.subject.version in of],
            [s for s in watched if s.key.subject.version in of],
        )

    def _current(self, model: str | None) -> list[AlertState]:
        """The alerts that are not inactive. What didn't change was not written, but it was evaluated."""
        evaluated_s, found = self.evaluated_s(), alert_log.list_states(self._store, model)
        return [replace(s, at_s=max(s.at_s, evaluated_s or 0)) for s in found]

    def alerts(self, question: AlertQuestion) -> list[AlertState]:
        """The alerts that are not inactive, as they were last evaluated, the worst first."""
        self._check_model(question.model)
        found = self._current(question.model)
        order = list(Severity)
        return sorted(found, key=lambda s: (not s.phase.fires, order.index(s.severity), s.since_s))

    def transitions(self, question: AlertQuestion) -> list[KeptTransition]:
        """What alerts did, the newest first."""
        self._check_model(question.model)
        from_s, to_s = (None if ms is None else -(-ms // 1000) for ms in (question.from_ms, question.to_ms))
        return alert_log.list_transitions(self._store, question.model, from_s, to_s, question.limit)

    def transitions_of(self, standing: Standing, limit: int) -> list[KeptTransition]:
        """What the alerts of an objective's subject did until then, the newest first."""
        kept = alert_log.list_transitions(self._store, standing.subject.model, to_s=standing.now_s + 1)
        mine = (standing.objective, standing.subject)
        return [k for k in kept if (k.transition.key.objective, k.transition.key.subject) == mine][:limit]

    def _check_model(self, model: str | None) -> None:
        seen = set(names.models(self._store))
        if model is not None and model not in seen:
            chosen(self._settings.objectives, SloQuestion(model), seen)

    def exclusions(self, *, revoked: bool = False) -> list[Exclusion]:
        """What is excluded; with `revoked` also what was."""
        return objectives.list_exclusions(self._store, revoked=revoked)

    def exclude(self, wanted: NewExclusion, now_ms: int) -> Exclusion:
        """Excludes a span of time. Raises QueryError that names what is wrong with it."""
        seen, base_s = names.models(self._store), self._bases.service_s
        from_s, to_s = checked(wanted, self._settings.objectives, seen, base_s)
        author, reason = wanted.author.strip(), wanted.reason.strip()
        return objectives.add_exclusion(
            self._store, from_s, to_s, author, reason, now_ms, wanted.model, wanted.objective
        )

    def revoke(self, number: int, author: str, now_ms: int) -> bool:
        """Takes an exclusion back; False where no such one is in force."""
        return objectives.revoke_exclusion(self._store, number, author, now_ms)


def _no_version(version: str, found: Sequence[Stood]) -> QueryError:
    known = sorted({v for one in found if (v := one.standing.subject.version) is not None})
    if known:
        return unknown("version", version, known)
    return QueryError(
        f"version: no objective is told apart by version, so none is about {version!r} alone; write "
        "`by: [version]` into those that shall be"
    )
