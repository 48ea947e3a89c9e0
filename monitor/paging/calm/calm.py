"""Messages beside those of groups, decided once a turn: of teams that are paged too often, digests, and
silences that are about to end."""

from collections.abc import Iterable, Iterator

from monitor.paging.alert import Alert, Status
from monitor.paging.calm import digest, page_budget, silence_warning
from monitor.paging.calm.digest import Collected, Issued
from monitor.paging.calm.page_budget import Pages
from monitor.paging.calm.silence_warning import Warned
from monitor.paging.calm.telling import telling
from monitor.paging.decision import Decision, flushes
from monitor.paging.documents import Documents, Kept, Kind
from monitor.paging.incidents.book import Book
from monitor.paging.message import Message, Purpose
from monitor.paging.pager import Pager
from monitor.paging.reason import Reason
from monitor.paging.settings import Digest
from monitor.paging.silence import Silence
from monitor.paging.silencing import active, stretch
from monitor.paging.state import Slot

__all__ = ["Calm"]

# A note must not open a ticket, nor wake anybody.
_NOT_FOR_NOTES = frozenset(("pagerduty", "opsgenie", "jira", "github"))
# How often it is looked whether something fires under a silence that is about to end.
_LOOKS_MS = 30_000

Messages = Iterator[tuple[Slot, Message]]


class Calm:
    """Begins where the documents `kept` left off. Not thread-safe."""

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        kept = list(kept)
        self._pages = Documents(Kind.PAGES, Pages, lambda pages: pages.owner, kept)
        self._issued = Documents(Kind.DIGEST, Issued, lambda issued: issued.digest, kept)
        self._collected = Documents(Kind.DIGESTED, Collected, digest.key_of, kept)
        self._warned = Documents(Kind.WARNED, Warned, lambda warned: warned.silence, kept)
        self._looked_ms: dict[str, int] = {}

    def turn(
        self, pager: Pager, book: Book, decisions: Iterable[Decision], now_ms: int
    ) -> list[tuple[Slot, Message]]:
        """What is to be told now, and to whom. `decisions` are those of the turn."""
        self._collect(pager, decisions)
        return [
            *self._budgets(pager, book, now_ms),
            *self._digests(pager, book, now_ms),
            *self._warnings(pager, book, now_ms),
        ]

    def next_ms(self, pager: Pager, now_ms: int) -> int | None:
        """When there may be something to tell by itself."""
        at_ms = [
            digest.due_ms(d, self._issued.values[d.name].at_ms)
            for d in pager.settings.digests
            if d.name in self._issued.values
        ]
        ahead_ms = pager.settings.silence_warning_ms
        for silence in pager.silences if ahead_ms else ():
            found = silence_warning.warns_ms(silence, ahead_ms, now_ms)
            at_ms += [found[0]] if found is not None and found[0] > now_ms else []
        return min(at_ms, default=None)

    def _budgets(self, pager: Pager, book: Book, now_ms: int) -> Messages:
        budgets = pager.settings.page_budgets
        for owner in self._pages.values.keys() - budgets.keys():
            self._pages.drop(owner)
        for owner, budget in budgets.items():
            paged = [i for i in book.incidents if i.owner == owner and i.paged_ms is not None]
            known = self._pages.values.get(owner, Pages(owner))
            known, tells = page_budget.counted(known, paged, budget, now_ms)
            if known.pages or owner in self._pages.values:
                self._pages.put(known)
            if tells:
                text = page_budget.words(known, budget)
                book.say(None, now_ms, text.partition("\n")[0])
                about = f"page budget of {owner} {now_ms}"
                yield from telling(pager.settings, budget.tell, Purpose.BUDGET, about, text, now_ms)

    def _collect(self, pager: Pager, decisions: Iterable[Decision]) -> None:
        """What was considered and waits for a digest."""
        for flush in flushes(decisions):
            for fingerprint, why in flush.suppressed.items():
                for name in why.by if why.reason is Reason.DIGESTED else ():
                    one = Collected(name, fingerprint, pager.alerts[fingerprint])
                    before = self._collected.values.get(digest.key_of(one))
                    told = before is not None and before.told
                    self._collected.put(Collected(name, fingerprint, one.alert, told))

    def _digests(self, pager: Pager, book: Book, now_ms: int) -> Messages:
        wanted = {d.name: d for d in pager.settings.digests}
        for name in self._issued.values.keys() - wanted.keys():
            self._drop(name)
        for one in wanted.values():
            if (last := self._issued.values.get(one.name)) is None:
                self._issued.put(Issued(one.name, now_ms))
            elif digest.due_ms(one, last.at_ms) <= now_ms:
                yield from self._issue(one, last.at_ms, pager, book, now_ms)
                self._issued.put(Issued(one.name, now_ms))

    def _drop(self, name: str) -> None:
        self._issued.drop(name)
        for key in [k for k, c in self._collected.values.items() if c.digest == name]:
            self._collected.drop(key)

    def _issue(self, one: Digest, since_ms: int, pager: Pager, book: Book, now_ms: int) -> Messages:
        def waits(fingerprint: str) -> bool:
            why = pager.suppressed(fingerprint, now_ms)
            return why is not None and why.reason is Reason.DIGESTED and one.name in why.by

        collected = [c for c in self._collected.values.values() if c.digest == one.name]
        found = digest.issue(collected, pager.alerts, waits, now_ms)
        for gone in found.ended:
            self._collected.drop(digest.key_of(gone))
        for still in found.rest:
            self._collected.put(still)
        if found.empty:
            return
        for incident in book.incidents:
            if found.fingerprints & incident.evidence.keys():
                book.say(incident.id, now_ms, f"told to {one.receiver} in the digest {one.name}")
        text, about = digest.words(one, found, since_ms, now_ms), f"digest {one.name} {now_ms}"
        yield from telling(pager.settings, one.receiver, Purpose.DIGEST, about, text, now_ms)

    def _warnings(self, pager: Pager, book: Book, now_ms: int) -> Messages:
        known = {silence.id for silence in pager.silences}
        for gone in self._warned.values.keys() - known:
            self._warned.drop(gone)
        ahead_ms = pager.settings.silence_warning_ms
        for silence in pager.silences if ahead_ms else ():
            warned = self._warned.values.get(silence.id)
            ends_ms = silence_warning.ends_soon_ms(silence, ahead_ms, warned, now_ms)
            looked_ms = self._looked_ms.get(silence.id, 0)
            if ends_ms is None or not active(silence, now_ms) or now_ms < looked_ms + _LOOKS_MS:
                continue
            self._looked_ms[silence.id] = now_ms
            if alerts := _silenced(silence, pager, now_ms):
                del self._looked_ms[silence.id]
                self._warned.put(Warned(silence.id, ends_ms))
                yield from _warn(silence, ends_ms, alerts, pager, book, now_ms)

    def take_changes(self) -> tuple[dict[tuple[str, str], bytes], list[tuple[str, str]]]:
        """Documents to be written, and the keys of those that are gone, since the last call."""
        changed: dict[tuple[str, str], bytes] = {}
        gone: list[tuple[str, str]] = []
        kinds = (self._pages, self._issued, self._collected, self._warned)
        for more, without in (documents.take_changes() for documents in kinds):
            changed |= more
            gone += without
        return changed, gone


def _silenced(silence: Silence, pager: Pager, now_ms: int) -> dict[str, Alert]:
    """What fires under the silence and under none that ends later."""
    ends_ms = {s.id: now_on[1] for s in pager.silences if (now_on := stretch(s, now_ms)) is not None}
    found = {}
    for key, alert in pager.alerts.items():
        if alert.status_at(now_ms) is Status.FIRING and not alert.quiet:
            why = pager.suppressed(key, now_ms)
            by = why.by if why is not None and why.reason is Reason.SILENCED else ()
            if silence.id in by and all(ends_ms[other] <= ends_ms[silence.id] for other in by):
                found[key] = alert
    return found


def _warn(
    silence: Silence, ends_ms: int, alerts: dict[str, Alert], pager: Pager, book: Book, now_ms: int
) -> Messages:
    """Tells each receiver of its own alerts that the silence ends."""
    of: dict[str, set[str]] = {}
    for group in pager.groups:
        for receiver in (group.receiver, *group.receivers):
            of.setdefault(receiver, set()).update(alerts.keys() & set(group.members))
    for incident in book.incidents:
        if alerts.keys() & incident.firing:
            book.say(incident.id, now_ms, f"the silence {silence.id} of it is about to end")
    about = f"end of silence {silence.id} {ends_ms}"
    for receiver, members in of.items():
        if some := [alert for key, alert in alerts.items() if key in members]:
            text = silence_warning.words(silence, ends_ms, some, now_ms)
            yield from telling(pager.settings, receiver, Purpose.NOTE, about, text, now_ms, _NOT_FOR_NOTES)
