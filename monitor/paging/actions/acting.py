"""Actions at work: decided once a turn, sent through the outbox, told in the timeline."""

from collections.abc import Iterable, Iterator

from monitor.paging.actions.action import Acted, Outcome, acted_on, consider, idempotency_key
from monitor.paging.alert import Status
from monitor.paging.decision import Decision, Flush, flushes
from monitor.paging.documents import Documents, Kept, Kind
from monitor.paging.incidents.book import Book
from monitor.paging.incidents.incident import Incident
from monitor.paging.message import Message, Purpose, Told
from monitor.paging.outbox.item import Item, State
from monitor.paging.settings import Action, PagerSettings, matches_all
from monitor.paging.state import Slot

__all__ = ["PREFIX", "Acting"]

# Before the names of actions where those of receivers stand; no receiver is called so by accident.
PREFIX = "action "


class Acting:
    """Begins where the documents `kept` left off. Not thread-safe."""

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        self._acted = Documents(Kind.ACTED, Acted, lambda acted: acted.action, kept)

    def turn(
        self,
        settings: PagerSettings,
        book: Book,
        decisions: Iterable[Decision],
        finished: Iterable[Item],
        now_ms: int,
    ) -> list[tuple[Slot, Message]]:
        """What is to be posted now; what came of what was, is told."""
        for item in finished:
            if item.message.purpose is Purpose.ACTION and item.ended_ms is not None:
                came = "accepted" if item.state is State.DELIVERED else f"{item.state}: {item.detail}"
                book.acted(item.message.incident, now_ms, f"{_named(item)}: {came}")
        if not settings.actions:
            return []
        return [
            each for flush in flushes(decisions) for each in self._considered(settings, book, flush, now_ms)
        ]

    def _considered(
        self, settings: PagerSettings, book: Book, flush: Flush, now_ms: int
    ) -> Iterator[tuple[Slot, Message]]:
        for told in flush.alerts:
            if told.status is not Status.FIRING or told.alert.fingerprint in flush.suppressed:
                continue
            labels = dict(told.alert.labels)
            for action in settings.actions:
                incident = book.of(told.alert.fingerprint) if matches_all(action.matchers, labels) else None
                if incident is not None:
                    yield from self._act(settings, action, book, incident, told, now_ms)

    def _act(
        self,
        settings: PagerSettings,
        action: Action,
        book: Book,
        incident: Incident,
        told: Told,
        now_ms: int,
    ) -> Iterator[tuple[Slot, Message]]:
        before = self._acted.values.get(action.name, Acted(action.name))
        outcome = consider(action, before, incident.id, now_ms)
        self._acted.put(acted_on(before, incident.id, outcome, now_ms))
        if outcome is Outcome.DONE or (outcome is Outcome.LIMITED and incident.id in before.held):
            return
        book.acted(incident.id, now_ms, f"{action.name} ({action.do}): {outcome}")
        if outcome is Outcome.ACTS:
            yield _posting(settings, action, incident, told, now_ms)

    def take_changes(self) -> tuple[dict[tuple[str, str], bytes], list[tuple[str, str]]]:
        """As Documents has it."""
        return self._acted.take_changes()


def _named(item: Item) -> str:
    return item.slot.receiver.removeprefix(PREFIX)


def _posting(
    settings: PagerSettings, action: Action, incident: Incident, told: Told, now_ms: int
) -> tuple[Slot, Message]:
    key = idempotency_key(action.name, incident.id, now_ms)
    message = Message(
        purpose=Purpose.ACTION,
        receiver=PREFIX + action.name,
        integration=0,
        group_key=key,
        dedup_key=key,
        status=Status.FIRING,
        alerts=(told,),
        group_labels=(),
        reason=str(action.do),
        at_ms=now_ms,
        incident=incident.id,
        severity=incident.severity,
        external_url=settings.external_url,
        text=incident.title,
    )
    return Slot(key, message.receiver, 0), message
