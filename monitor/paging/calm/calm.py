"""Messages beside those of groups, decided once a turn: that a team is paged too often."""

from collections.abc import Iterable, Iterator

from monitor.paging.calm.documents import Documents, Kept, Kind
from monitor.paging.calm.page_budget import Pages, counted, words
from monitor.paging.calm.telling import telling
from monitor.paging.incidents.book import Book
from monitor.paging.message import Message, Purpose
from monitor.paging.pager import Pager
from monitor.paging.state import Slot

__all__ = ["Calm"]


class Calm:
    """Begins where the documents `kept` left off. Not thread-safe."""

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        kept = list(kept)
        self._pages = Documents(Kind.PAGES, Pages, lambda pages: pages.owner, kept)

    def turn(self, pager: Pager, book: Book, now_ms: int) -> list[tuple[Slot, Message]]:
        """What is to be told now, and to whom."""
        return list(self._budgets(pager, book, now_ms))

    def _budgets(self, pager: Pager, book: Book, now_ms: int) -> Iterator[tuple[Slot, Message]]:
        budgets = pager.settings.page_budgets
        for owner in self._pages.values.keys() - budgets.keys():
            self._pages.drop(owner)
        for owner, budget in budgets.items():
            paged = [i for i in book.incidents if i.owner == owner and i.paged_ms is not None]
            known = self._pages.values.get(owner, Pages(owner))
            known, tells = counted(known, paged, budget, now_ms)
            if known.pages or owner in self._pages.values:
                self._pages.put(known)
            if tells:
                text = words(known, budget)
                book.say(None, now_ms, text.partition("\n")[0])
                about = f"page budget of {owner} {now_ms}"
                yield from telling(pager.settings, budget.tell, Purpose.BUDGET, about, text, now_ms)

    def take_changes(self) -> tuple[dict[tuple[str, str], bytes], list[tuple[str, str]]]:
        """Documents to be written, and the keys of those that are gone, since the last call."""
        changed: dict[tuple[str, str], bytes] = {}
        gone: list[tuple[str, str]] = []
        for documents in (self._pages,):
            more = documents.take_changes()
            changed |= more[0]
            gone += more[1]
        return changed, gone
