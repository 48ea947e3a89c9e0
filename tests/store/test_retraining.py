"""Requests to retrain in the store: made once, reviewed once, posted once."""

from dataclasses import replace

from monitor.store import Store
from monitor.store.events import list_events
from monitor.store.incidents import EntryRow, list_entries
from monitor.store.retraining import NewRequest, ask, list_requests, note_posted, review
from tests.builders import NOW_MS
from tests.cards.making import happened

NEW = NewRequest("weekly", 1, "fraud", NOW_MS, "drift", "e-1", dry_run=False, needs_approval=True)
ENTRY = EntryRow(None, NOW_MS, "action", "ada", "approved")


def test_each_number_is_taken_once_with_its_event(store: Store) -> None:
    told, other = happened(("retrain_requested", NOW_MS, {}), ("retrain_requested", NOW_MS, {}))
    assert ask(store, NEW, told)
    assert not ask(store, replace(NEW, at_ms=NOW_MS + 1, event="e-2"), other)
    assert [r.event for r in list_requests(store, "weekly")] == ["e-1"]
    assert [e.id for e in list_events(store)] == [told.id]
    assert ask(store, replace(NEW, policy="other"), other)
    assert [r.policy for r in list_requests(store, newest=1)] == ["other"]


def test_the_first_review_and_the_first_answer_hold(store: Store) -> None:
    (told,) = happened(("retrain_requested", NOW_MS, {}))
    ask(store, NEW, told)
    (asked,) = list_requests(store)
    assert review(store, asked.id, True, "ada", "why", ENTRY)
    assert not review(store, asked.id, False, "bob", "", ENTRY)
    note_posted(store, asked.id, True, "answered 200", NOW_MS)
    note_posted(store, asked.id, False, "gone", NOW_MS + 1)
    (found,) = list_requests(store)
    assert (found.approved, found.reviewer, found.posted, found.posted_detail) == (
        *(True, "ada", True, "answered 200"),
    )
    assert len(list_entries(store)) == 1


def test_a_dry_run_can_not_be_reviewed(store: Store) -> None:
    (told,) = happened(("retrain_requested", NOW_MS, {}))
    ask(store, replace(NEW, dry_run=True), told)
    assert not review(store, list_requests(store)[0].id, True, "ada", "", ENTRY)
