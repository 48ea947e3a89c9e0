"""Who asks: a token's holder, or else an address."""

from dataclasses import dataclass

from starlette.types import Scope

from monitor.store.tokens import Role, Token

__all__ = ["PROBES", "Caller", "address_of", "caller_of", "is_link", "set_caller", "shown_path"]

PROBES = frozenset({"/healthz", "/readyz", "/-/healthy", "/-/ready"})
_KEY = "monitor.caller"
_LINKS = "/ack/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: `client` names it for rate limits, `role` is None without a token."""

    client: str
    token: Token | None = None
    trusted: bool = False

    def may(self, wanted: Role) -> bool:
        """Whether the caller may do what `wanted` is needed for."""
        return self.trusted if self.token is None else self.token.role.allows(wanted)


def caller_of(scope: Scope) -> Caller:
    """The caller of a request, which Identify has put there; else its address, trusted with nothing."""
    found = scope.get(_KEY)
    return found if isinstance(found, Caller) else Caller(address_of(scope))


def set_caller(scope: Scope, caller: Caller) -> None:
    scope[_KEY] = caller


def address_of(scope: Scope) -> str:
    """The client's address, a probe's apart, so that a flood can't make an orchestrator kill us."""
    client = scope.get("client")
    address = str(client[0]) if client else "unknown"
    return f"probe {address}" if scope["path"] in PROBES else address


def is_link(path: str) -> bool:
    """Whether it is the path of a link that acknowledges: who has it needs nothing else."""
    token = path.removeprefix(_LINKS)
    return token not in (path, "") and "/" not in token


def shown_path(path: str) -> str:
    """The path as a log may have it: without the secret of a link, and not endless."""
    return f"{_LINKS}***" if path.startswith(_LINKS) else path[:200]
