"""The pager at work over a store: each turn takes what came, decides, writes, and gives what is to be sent.

A turn is one transaction, written before anything is sent: after a crash it has either happened, and what it
was sending may have arrived, or it has not.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue

from monitor.errors import StoreBusy, StoreError
from monitor.paging.alert import Alert
from monitor.paging.context import burn_of, with_context
from monitor.paging.decision import Decision, flushes
from monitor.paging.did import Did
from monitor.paging.inbox import deed_of, reports
from monitor.paging.incidents.book import Book
from monitor.paging.incidents.incident import Act, Deed, Incident, entry_row, incident_of, incident_row
from monitor.paging.keeping import kept, kept_silences
from monitor.paging.links.signing import signing
from monitor.paging.message import NOT_SENT, Delivery, Message, Result, Sender
from monitor.paging.notes import acknowledgements, beats
from monitor.paging.outbox.fallback import due_ms, instead, unreached
from monitor.paging.outbox.item import Item, State, item_of, row_of
from monitor.paging.outbox.policy import Repeats
from monitor.paging.outbox.queue import Queue
from monitor.paging.pager import Pager
from monitor.paging.senders import senders_of
from monitor.paging.settings import PagerSettings
from monitor.paging.state import Slot
from monitor.paging.syncing import synced
from monitor.store import paging
from monitor.store.incidents import EntryRow, IncidentRow, last_id, list_incidents
from monitor.store.paging import Written
from monitor.store.store import Store

__all__ = ["Deposed", "Running"]

_BATCHES = 100
_REMEMBERED_MS = 86_400_000


class Deposed(StoreError):
    """Another process has taken the pager over; what is in memory is void."""


class Running:
    """Takes the pager over from whoever had it. `detected` gives the alerts that monitor itself finds, all
    that fire at the moment. One that `replays` a history leaves what comes in for the next that doesn't, and
    gives no sign of life. Not thread-safe but for `finished`."""

    def __init__(
        self,
        store: Store,
        settings: PagerSettings,
        holder: str,
        now_ms: int,
        *,
        repeats: Repeats = Repeats.MARK,
        detected: Callable[[], Iterable[Alert]] | None = None,
        senders: Mapping[tuple[str, int], Sender] | None = None,
        rng: random.Random | None = None,
        replays: bool = False,
    ) -> None:
        self._replays = replays
        self._store, self._repeats, self._detected = store, repeats, detected
        self._rng = rng or random.Random()
        self._senders = dict(senders_of(store, settings) if senders is None else senders)
        self._given = senders is not None
        self._found: tuple[Alert, ...] | None = None
        self._turn: tuple[Did, Written] | None = None
        self._turns = 0
        self._beats: dict[Slot, int] = {}
        self._signing = signing(store)
        self._epoch = paging.claim(store, holder)
        self._silences = kept_silences(store)
        state, self.calm, self.acting = kept(store)
        self.pager = Pager(settings, state, self._silences)
        if not replays:
            self.pager.forget_replayed()
        self._done: SimpleQueue[tuple[Item, Delivery]] = SimpleQueue()
        self.queue = Queue([] if replays else map(item_of, paging.open_outbox(store)), repeats)
        self._recovered = self.queue.recover(now_ms, self._dedups)
        for item in self._recovered:
            self._settle(item, now_ms)
        known = list_incidents(store, since_ms=now_ms - _REMEMBERED_MS)
        self.book = Book(map(incident_of, known), last_id(store), settings.incident_by)

    def _dedups(self, item: Item) -> bool:
        sender = self._senders.get(item.target)
        return sender is not None and sender.dedups

    def _settle(self, item: Item, now_ms: int) -> None:
        """Tells the pager what became of a message."""
        match item.state:
            case State.DELIVERED | State.UNKNOWN | State.WITHDRAWN:
                self.pager.delivered(item.slot, now_ms)
            case State.REPLAYED:
                self.pager.delivered(item.slot, now_ms, replayed=True)
            case State.FAILED:
                self.pager.failed(item.slot)
            case _ if item.doubtful:
                self.pager.doubted(item.slot)

    def reconfigure(self, settings: PagerSettings, now_ms: int) -> None:
        """Other settings from the next turn on."""
        if not self._given:
            self._senders = senders_of(self._store, settings)
        self.pager.reconfigure(settings, now_ms)

    def turn(self, now_ms: int, *, sends: bool = True) -> Did:
        """Takes what came, decides, and writes it all; what it gives as `sending` is to be sent, and
        `finished` to be called for each. Nothing is sent unless it `sends`, as in the last turn; a replay
        then records what it would have sent.

        Raises Deposed where another process has the pager, and StoreBusy where the store doesn't answer: the
        next call then takes the same turn to its end.
        """
        if self._turn is None:
            self._turn = self._prepared(now_ms, sends)
        did, written = self._turn
        if written != Written():
            if not paging.commit(self._store, self._epoch, self._turns + 1, written):
                raise Deposed("another process has taken the pager over")
            self._turns += 1
        self._turn = None
        return did

    def _prepared(self, now_ms: int, sends: bool) -> tuple[Did, Written]:
        silences = kept_silences(self._store)
        batches = [] if self._replays else paging.read_inbox(self._store, _BATCHES)
        self._found = None if self._detected is None else tuple(self._detected())
        # From here on nothing asks the store, so that a turn is either prepared or not.
        finished = [*self._recovered, *self._finish(now_ms)]
        self._recovered = []
        for batch in batches:
            self.pager.put(reports(batch.document), now_ms)
            if (deed := deed_of(batch.document)) is not None:
                self._do(deed, now_ms)
        if self._found is not None:
            self.pager.put(synced(self._found, self.pager.alerts.values(), now_ms), now_ms)
        if silences != self._silences:
            self._silences = silences
            self.pager.set_silences(silences)
        decisions = self.pager.flush(now_ms, self.queue.busy_groups())
        self._note(decisions, finished, now_ms)
        self.post(decisions, now_ms)
        for incident, step in self.book.escalations(self.pager.settings.escalations, self._burn, now_ms):
            for group in incident.groups:
                escalated = self.pager.escalate(group, step.receiver, now_ms)
                self.post(escalated, now_ms)
                decisions += escalated
        decisions += self._fall_back(finished, now_ms)
        beside = self.calm.turn(self.pager, self.book, decisions, now_ms)
        if not self._replays:
            beside += self.acting.turn(self.pager.settings, self.book, decisions, finished, now_ms)
        for slot, message in beside:
            self.queue.put(slot, message, now_ms)
        self._beat(now_ms)
        sending = self.queue.start_due(now_ms) if sends else []
        if self._replays and not sends:
            finished += self._recorded(now_ms)
        changes, (calm, gone) = self.pager.take_changes(), self.calm.take_changes()
        acted, _ = self.acting.take_changes()
        written = Written(
            [batch.id for batch in batches],
            {(str(kind), key): document for (kind, key), document in changes.changed.items()} | calm | acted,
            [(str(kind), key) for kind, key in changes.gone] + gone,
            [row_of(item) for item in self.queue.take_changes()],
            *self._noted(),
        )
        did = Did(
            tuple(decisions),
            tuple(finished),
            tuple(sending),
            now_ms,
            len(self.queue),
            self.queue.oldest_ms(),
            tuple(self.queue.broken()),
            Counter(i.severity for i in self.book.incidents if i.is_open),
        )
        return did, written

    def _recorded(self, now_ms: int) -> Iterator[Item]:
        """Messages that a replay leaves unsent."""
        while sending := self.queue.start_due(now_ms):
            for item in sending:
                done = self.queue.finish(item, NOT_SENT, now_ms, 0.0, dedups=True)
                self._settle(done, now_ms)
                self.book.finished(done, now_ms)
                yield done

    def _note(self, decisions: Iterable[Decision], finished: Iterable[Item], now_ms: int) -> None:
        """In the incidents: what was considered, and what arrived."""
        for flush in flushes(decisions):
            self.book.considered(flush)
        for item in finished:
            self.book.finished(item, now_ms)
        self.book.forget(now_ms)

    def _noted(self) -> tuple[list[IncidentRow], list[EntryRow]]:
        incidents, entries = self.book.take_changes()
        return [incident_row(i) for i in incidents], [entry_row(e) for e in entries]

    def _do(self, deed: Deed, now_ms: int) -> None:
        """What a person has done: a group whose incidents are all acknowledged repeats nothing."""
        incident = self.book.do(deed)
        for group in incident.groups if incident is not None else ():
            if all(i.acknowledged_ms is not None for i in self.book.about(group) if i.is_open):
                self.pager.acknowledge(group, deed.at_ms)
                if deed.act is Act.ACKNOWLEDGE:
                    self._tell_acknowledged(group, deed.who, now_ms)

    def _tell_acknowledged(self, group: str, who: str, now_ms: int) -> None:
        for found in (g for g in self.pager.groups if g.id == group):
            for slot, message in acknowledgements(self.pager.settings, found, self.pager.sent, who, now_ms):
                self.queue.put(slot, message, now_ms)

    def _fall_back(self, finished: Iterable[Item], now_ms: int) -> list[Decision]:
        """Tells others of what did not arrive; each once for a group, and of its end too."""
        found: list[Decision] = []
        whom = self.pager.settings.fallback_of
        for item, fallback in unreached(self.queue.items, finished, whom, lambda: self.pager.sent, now_ms):
            told = self.pager.escalate(item.slot.group, fallback.receiver, now_ms)
            decisions = [instead(decision, item) for decision in told]
            if decisions:
                self.post(decisions, now_ms)
                self.book.fell_back(item, fallback.receiver, now_ms)
                found += decisions
        return found

    def _burn(self, incident: Incident) -> float | None:
        """How fast the incident burns its budget, by what its alerts say."""
        alerts = self.pager.alerts
        return burn_of(alerts[key] for key in incident.firing if key in alerts)

    def _beat(self, now_ms: int) -> None:
        """Gives each dead man's switch a sign of life once it is due."""
        for slot, message, every_ms in () if self._replays else beats(self.pager.settings, now_ms):
            if now_ms - self._beats.get(slot, now_ms - every_ms) >= every_ms:
                self._beats[slot] = now_ms
                self.queue.put(slot, message, now_ms)

    def _finish(self, now_ms: int) -> Iterator[Item]:
        while True:
            try:
                item, delivery = self._done.get_nowait()
            except Empty:
                return
            done = self.queue.finish(item, delivery, now_ms, self._rng.random(), dedups=self._dedups(item))
            self._settle(done, now_ms)
            yield done

    def post(self, decisions: Iterable[Decision], now_ms: int) -> None:
        """Puts the messages of decisions into the outbox, to be written with the next turn."""
        for decision in decisions:
            if decision.message is None:
                continue
            message = with_context(decision.message, self.book.about(decision.flush.group))
            if not self.queue.put(decision.slot, message, now_ms, withdraws=decision.withdraws):
                self.pager.delivered(decision.slot, now_ms)

    def finished(self, item: Item, delivery: Delivery) -> None:
        """An attempt to send has ended; any thread may say so. The next turn takes it up."""
        self._done.put((item, delivery))

    def send(self, item: Item, timeout_s: float) -> Delivery:
        """Sends a message of `turn`; blocks for `timeout_s` at most, and raises nothing."""
        sender = self._senders.get(item.target)
        if sender is None:
            return Delivery(Result.PERMANENT, "the receiver is no longer configured")
        # Whoever slept since the turn may have a successor who told more than this by now.
        try:
            if not paging.holds(self._store, self._epoch):
                return Delivery(Result.TRANSIENT, "another process has taken the pager over")
        except StoreBusy:
            return Delivery(Result.TRANSIENT, "the store did not say whether the pager is still ours")
        return sender.send(self._linked(item), timeout_s)

    def _linked(self, item: Item) -> Message:
        """The message with a link to acknowledge by, made only now so that the store never holds one."""
        url = self._signing(self.pager.settings.links).url(item.message, item.id, item.next_ms)
        return replace(item.message, links=replace(item.message.links, acknowledge=url))

    def next_ms(self, now_ms: int) -> int | None:
        """When the next turn has something to do by itself."""
        settings = self.pager.settings
        due = (
            self.pager.next_ms,
            self.queue.next_ms(now_ms),
            self.calm.next_ms(self.pager, now_ms),
            self.book.next_ms(settings.escalations),
            due_ms(self.queue.items, settings.fallback_of, now_ms),
        )
        return min((ms for ms in due if ms is not None), default=None)
