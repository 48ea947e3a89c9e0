"""Tokens: made, listed, revoked, and recognised without a query per request."""

import pytest
import sqlalchemy as sa

from monitor.errors import StoreBusy, StoreError
from monitor.store import tokens
from monitor.store.engine import reading
from monitor.store.schema import tokens as table
from monitor.store.store import Store
from monitor.store.tokens import Authenticator, Role

NOW_MS = 1_700_000_000_000


class Seconds:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def queries(store: Store) -> list[str]:
    """The statements that the store has been asked, those about tokens."""
    asked: list[str] = []

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def _note(_c: object, _k: object, statement: str, *_: object) -> None:
        if "FROM tokens" in statement:
            asked.append(statement)

    return asked


def test_a_secret_is_shown_once_and_only_its_digest_is_kept(store: Store) -> None:
    secret = tokens.create(store, "grafana", Role.VIEWER, NOW_MS)
    assert secret.startswith("mon_")
    assert len(secret) >= 4 + 43
    with reading(store.engine) as connection:
        row = connection.execute(sa.select(table)).one()
    assert secret not in str(tuple(row))
    assert secret.removeprefix("mon_") not in str(tuple(row))
    assert "secret" not in repr(tokens.list_tokens(store))


def test_a_secret_finds_its_token(store: Store, seconds: Seconds) -> None:
    secrets = {role: tokens.create(store, f"t-{role}", role, NOW_MS) for role in Role}
    authenticator = Authenticator(store, seconds)
    for role, secret in secrets.items():
        found = authenticator.authenticate(secret)
        assert found is not None
        assert (found.name, found.role) == (f"t-{role}", role)


@pytest.mark.parametrize(
    "wrong", ["", "mon_", "mon_x", "x" * 50, "mon_" + "a" * 43, "mon_" + "é" * 43, "m" * 9999]
)
def test_another_secret_finds_none(store: Store, seconds: Seconds, wrong: str) -> None:
    tokens.create(store, "t", Role.ADMIN, NOW_MS)
    assert Authenticator(store, seconds).authenticate(wrong) is None


def test_requests_cost_no_query(store: Store, seconds: Seconds, queries: list[str]) -> None:
    secret = tokens.create(store, "t", Role.VIEWER, NOW_MS)
    authenticator = Authenticator(store, seconds)
    for _ in range(100):
        assert authenticator.authenticate(secret)
    assert len(queries) == 1
    seconds.now += 31
    assert authenticator.authenticate(secret)
    assert len(queries) == 2


def test_wrong_secrets_cost_a_query_a_second_at_most(
    store: Store, seconds: Seconds, queries: list[str]
) -> None:
    authenticator = Authenticator(store, seconds)
    for i in range(100):
        seconds.now += 0.1
        assert authenticator.authenticate(f"mon_wrong{i}") is None
    assert len(queries) <= 10


def test_a_new_token_works_within_a_second_or_so(store: Store, seconds: Seconds) -> None:
    authenticator = Authenticator(store, seconds)
    assert authenticator.authenticate("mon_x") is None
    secret = tokens.create(store, "late", Role.VIEWER, NOW_MS)
    seconds.now += 1.5
    assert authenticator.authenticate(secret)


def test_a_revoked_token_ends_within_30_s(store: Store, seconds: Seconds) -> None:
    secret = tokens.create(store, "t", Role.VIEWER, NOW_MS)
    authenticator = Authenticator(store, seconds)
    assert authenticator.authenticate(secret)
    assert tokens.revoke(store, "t", NOW_MS + 1)
    seconds.now += 30.1
    assert authenticator.authenticate(secret) is None


def test_revoking_says_whether_there_was_such_a_token(store: Store) -> None:
    assert not tokens.revoke(store, "t", NOW_MS)
    tokens.create(store, "t", Role.VIEWER, NOW_MS)
    assert tokens.revoke(store, "t", NOW_MS)
    assert not tokens.revoke(store, "t", NOW_MS)
    (listed,) = tokens.list_tokens(store)
    assert listed.revoked_ms == NOW_MS


def test_a_name_in_use_is_refused_and_a_revoked_one_is_free(store: Store, seconds: Seconds) -> None:
    old = tokens.create(store, "t", Role.VIEWER, NOW_MS)
    with pytest.raises(StoreError, match="'t' exists; revoke it first"):
        tokens.create(store, "t", Role.ADMIN, NOW_MS)
    tokens.revoke(store, "t", NOW_MS)
    new = tokens.create(store, "t", Role.INGEST, NOW_MS + 1)
    authenticator = Authenticator(store, seconds)
    assert authenticator.authenticate(old) is None
    found = authenticator.authenticate(new)
    assert found is not None
    assert found.role is Role.INGEST


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_a_bad_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="printable"):
        tokens.create(store, name, Role.VIEWER, NOW_MS)


def test_while_the_store_is_away_tokens_hold_for_five_minutes(
    store: Store, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tokens.create(store, "t", Role.VIEWER, NOW_MS)
    authenticator = Authenticator(store, seconds)
    assert authenticator.authenticate(secret)

    def away(_: object) -> None:
        raise StoreBusy("away")

    monkeypatch.setattr(tokens, "reading", away)
    seconds.now += 200
    assert authenticator.authenticate(secret)
    assert authenticator.authenticate("mon_unknown") is None
    seconds.now += 101
    with pytest.raises(StoreBusy):
        authenticator.authenticate(secret)


def test_what_a_role_allows() -> None:
    allowed = {held: {wanted for wanted in Role if held.allows(wanted)} for held in Role}
    assert allowed == {
        Role.VIEWER: {Role.VIEWER},
        Role.INGEST: {Role.INGEST},
        Role.RESPONDER: {Role.RESPONDER, Role.VIEWER},
        Role.ADMIN: set(Role),
    }
