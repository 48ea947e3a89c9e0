"""Bearer tokens: who may ask, and what for. Only a digest of each secret is kept."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from monitor.errors import StoreBusy, StoreError
from monitor.store.engine import reading, writing
from monitor.store.schema import tokens
from monitor.store.store import Store, insert

__all__ = ["PREFIX", "Authenticator", "Role", "Token", "create", "list_tokens", "revoke"]

PREFIX = "mon_"
_SECRET_BYTES = 32
_MAX_SECRET_CHARS = 200
_FRESH_S = 30.0
_RELOAD_S = 1.0
_STALE_S = 300.0


class Role(StrEnum):
    """What a token is for. `responder` may do what `viewer` may, and `admin` everything."""

    VIEWER = "viewer"
    INGEST = "ingest"
    RESPONDER = "responder"
    ADMIN = "admin"

    def allows(self, wanted: "Role") -> bool:
        """Whether a holder of this role may do what `wanted` is needed for."""
        return self in (wanted, Role.ADMIN) or (self is Role.RESPONDER and wanted is Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as anyone may see it: without its secret."""

    id: int
    name: str
    role: Role
    created_ms: int
    revoked_ms: int | None = None


def create(store: Store, name: str, role: Role, now_ms: int) -> str:
    """Makes a token and returns its secret, which is shown this once and can't be read back.

    The name of a revoked token may be given again. Raises StoreError where the name is in use.
    """
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise StoreError("token: the name must have 1 to 200 printable characters")
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    values = {"role": str(role), "digest": _digest(secret), "created_ms": now_ms, "revoked_ms": None}
    upsert = insert(store, tokens).values(name=name, **values)
    with writing(store.engine) as connection:
        row = connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["name"], set_=values, where=tokens.c.revoked_ms.is_not(None)
            ).returning(tokens.c.id)
        ).one_or_none()
    if row is None:
        raise StoreError(f"token: {name!r} exists; revoke it first, or choose another name")
    return secret


def list_tokens(store: Store) -> list[Token]:
    """All tokens by name, the revoked ones too."""
    with reading(store.engine) as connection:
        return [_token(r) for r in connection.execute(sa.select(tokens).order_by(tokens.c.name))]


def revoke(store: Store, name: str, now_ms: int) -> bool:
    """Ends a token; running servers refuse it within 30 s. False where no such token was in force."""
    with writing(store.engine) as connection:
        done = connection.execute(
            sa.update(tokens)
            .where(tokens.c.name == name.strip(), tokens.c.revoked_ms.is_(None))
            .values(revoked_ms=now_ms)
        )
    return done.rowcount == 1


class Authenticator:
    """Tells whose a secret is. Thread-safe.

    Knows all tokens in force for 30 s, so that a request costs no query; an unknown secret has them
    read anew, once a second at most. While the store is away they hold for five minutes.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[str, Token] = {}
        self._loaded_s: float | None = None
        self._tried_s = -_RELOAD_S

    def authenticate(self, secret: str) -> Token | None:
        """The token whose secret this is, or None. May block on the store; raises StoreBusy."""
        found, settled = self.recall(secret)
        if settled:
            return found
        with self._lock:
            if not self.recall(secret)[1]:
                self._load()
        return self._find(secret)

    def recall(self, secret: str) -> tuple[Token | None, bool]:
        """(the token, True) as far as is known without the store; (None, False) where it must be asked."""
        now_s = self._monotonic()
        if self._loaded_s is None or now_s - self._loaded_s > _FRESH_S:
            # Between two tries on a store that is away, what was known holds.
            waiting = self._loaded_s is not None and now_s - self._tried_s <= _RELOAD_S
            return (self._find(secret), True) if waiting else (None, False)
        found = self._find(secret)
        return found, found is not None or now_s - self._tried_s <= _RELOAD_S

    def _find(self, secret: str) -> Token | None:
        if not secret.startswith(PREFIX) or len(secret) > _MAX_SECRET_CHARS:
            return None
        digest = _digest(secret)
        for known, token in self._known.items():
            if hmac.compare_digest(known, digest):
                return token
        return None

    def _load(self) -> None:
        self._tried_s = now_s = self._monotonic()
        query = sa.select(tokens).where(tokens.c.revoked_ms.is_(None))
        try:
            with reading(self._store.engine) as connection:
                self._known = {r.digest: _token(r) for r in connection.execute(query)}
        except StoreBusy:
            if self._loaded_s is None or now_s - self._loaded_s > _STALE_S:
                self._known, self._loaded_s = {}, None
                raise
            return
        self._loaded_s = now_s


def _digest(secret: str) -> str:
    # A plain hash is enough: the secret is 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(row.id, row.name, Role(row.role), row.created_ms, row.revoked_ms)
