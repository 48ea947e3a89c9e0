"""Two servers that are asked the same, and what is left of answers without ids and times of their own."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

__all__ = ["Asked", "Both", "Side", "moment"]

_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(Z|[+-]\d\d:\d\d)"')
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What the servers add to `now` by themselves, s.
_ADDED = (0, 300)
_SLACK_S = 20.0


def moment(offset_s: float) -> str:
    """A time so far from now, as a sender writes it."""
    at = datetime.fromtimestamp(time.time() + offset_s, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """`$ID1` in path and body is the first id that the server made."""

    method: str
    path: str
    body: Any = None
    raw: str | None = None
    kind: str = "application/json"

    @property
    def text(self) -> str | None:
        return self.raw if self.raw is not None or self.body is None else json.dumps(self.body)


@dataclass
class Side:
    """One of the servers, and the ids that it has made, in the order in which it made them."""

    url: str
    ids: list[str] = field(default_factory=list)
    given: set[str] = field(default_factory=set)
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20))

    def ask(self, asked: Asked) -> tuple[int, Any]:
        """Status, and the body normalised; None for an empty one."""
        text = self._filled(asked.text)
        response = self.client.request(
            asked.method,
            f"{self.url}{self._filled(asked.path)}",
            content=text,
            headers={"Content-Type": asked.kind} if text is not None else {},
        )
        if response.status_code == 200 and response.text.startswith('{"silenceID"'):
            self._note(response.json()["silenceID"])
        return response.status_code, self._normal(response.text, text or "")

    def _filled(self, text: str | None) -> str | None:
        if text is None:
            return None
        return re.sub(r"\$ID(\d+)", lambda m: self.ids[int(m[1]) - 1], text)

    def _note(self, id: str) -> None:
        if id not in self.ids:
            self.ids.append(id)

    def _normal(self, text: str, sent: str) -> Any:
        self.given.update(_ms(m) for m in _TIME.finditer(sent))
        text = _ID.sub(lambda m: f"$ID{self.ids.index(m[0]) + 1}" if m[0] in self.ids else m[0], text)
        text = _TIME.sub(self._moment, text)
        try:
            return _sorted(json.loads(text)) if text.strip() else None
        except ValueError:
            return text

    def _moment(self, found: "re.Match[str]") -> str:
        ms = _ms(found)
        if ms in self.given:
            return f'"{ms}"'
        since_s = float(ms) / 1000 - time.time()
        added = [a for a in _ADDED if abs(since_s - a) < _SLACK_S]
        return f'"now+{added[0]}"' if added else f'"{ms}"'


def _ms(found: "re.Match[str]") -> str:
    return str(round(datetime.fromisoformat(found[1] + found[2].replace("Z", "+00:00")).timestamp() * 1000))


class Both:
    """Alertmanager and ours."""

    def __init__(self, theirs: str, ours: str) -> None:
        self.theirs, self.ours = Side(theirs), Side(ours)

    def ask(self, asked: Asked) -> tuple[tuple[int, Any], tuple[int, Any]]:
        """What they answer, theirs first."""
        return self.theirs.ask(asked), self.ours.ask(asked)

    def agree(self, sequence: Sequence[Asked]) -> None:
        """Raises AssertionError for the first request that they answer differently."""
        for asked in sequence:
            theirs, ours = self.ask(asked)
            if not _same(theirs, ours):
                raise AssertionError("\n  ".join((str(asked), *_apart(theirs, ours))))

    def close(self) -> None:
        self.theirs.client.close()
        self.ours.client.close()


def _sorted(found: Any) -> Any:
    """Without the order that ids give, which are random; and which one of several alerts inhibits, nobody
    says."""
    if isinstance(found, dict):
        kept = {k: sorted(v) if k == "silencedBy" else _sorted(v) for k, v in found.items()}
        return kept | ({"inhibitedBy": len(found["inhibitedBy"])} if "inhibitedBy" in found else {})
    return [_sorted(one) for one in found] if isinstance(found, list) else found


def _apart(theirs: tuple[int, Any], ours: tuple[int, Any]) -> tuple[str, str]:
    """What isn't the same in both."""
    if theirs[0] == ours[0] == 200 and isinstance(theirs[1], list) and isinstance(ours[1], list):
        only = [[one for one in a if one not in b] for a, b in ((theirs[1], ours[1]), (ours[1], theirs[1]))]
        if any(only):
            return f"only theirs {only[0]}", f"only ours   {only[1]}"
    return f"theirs {theirs}", f"ours   {ours}"


def _same(theirs: tuple[int, Any], ours: tuple[int, Any]) -> bool:
    if theirs[0] != ours[0] or theirs[0] == 200:
        return theirs == ours
    return _same_refusal(theirs[1], ours[1])


def _same_refusal(theirs: Any, ours: Any) -> bool:
    """Ours says as much, and more: which alert it was. How a text is no matcher, or no JSON, each says in its
    own words."""
    if isinstance(theirs, dict):
        # The methods that are allowed come in any order.
        own_words = str(theirs["message"]).startswith(("parsing ", "method "))
        return isinstance(ours, dict) and (own_words or theirs == ours) and theirs["code"] == ours["code"]
    if isinstance(theirs, str) and re.match(
        r"bad matcher|matcher value|error parsing|failed to parse", theirs
    ):
        return isinstance(ours, str)
    if isinstance(theirs, str) and "invalid regular expression" in theirs:
        return isinstance(ours, str) and ours.startswith(theirs.partition(": error")[0].split('"')[0][:-28])
    if isinstance(theirs, str) and isinstance(ours, str):
        parts = theirs.split("; ")
        return all(part in ours for part in parts)
    return bool(theirs == ours)
