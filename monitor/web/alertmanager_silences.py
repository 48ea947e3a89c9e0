"""Silences as they are posted and shown.

Beside Alertmanager's fields a silence may have `repeat` (daily, weekly), `timeZone` and `until`: then it
comes again at the same local time. One that comes again is shown with the times of its stretch under way, or
else of the next, so that clients that know nothing of it sort and show it rightly.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from monitor.paging.api_times import parsed_ms, shown
from monitor.paging.matching import matcher
from monitor.paging.settings import Matcher
from monitor.paging.silence import Repeat, Silence, SilenceState
from monitor.paging.silence_rules import problem
from monitor.paging.silencing import state, stretch
from monitor.web.alertmanager_answers import INVALID_TYPE, REQUIRED, TOO_FEW, malformed, outside, told

__all__ = ["in_order", "new_id", "posted_id", "posted_silence", "selected", "shown_silence"]

_MAX_TEXT = 10_000
_OURS = "silence invalid: "


class _Matcher(msgspec.Struct):
    # Named as in the API, here and below.
    name: str | None = None
    value: str | None = None
    isRegex: bool | None = None
    isEqual: bool | None = None


class _Silence(msgspec.Struct):
    id: str | None = None
    matchers: list[_Matcher] | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    createdBy: str | None = None
    comment: str | None = None
    repeat: str | msgspec.UnsetType | None = msgspec.UNSET
    timeZone: str | None = None
    until: str | None = None


_decoder = msgspec.json.Decoder(_Silence | None)
_REQUIRED = ("comment", "createdBy", "endsAt", "matchers", "startsAt")


def posted_id(body: bytes) -> str:
    """The id of the silence that a body is to change, empty for a new one. Raises Answer."""
    return _decoded(body).id or ""


def posted_silence(body: bytes, old: Silence | None, now_ms: int) -> Silence:
    """The silence of a body, which is to take the place of `old`. Where it says nothing of coming again it
    does as `old` does, for other clients don't know of that. Raises Answer."""
    found = _decoded(body)
    _check(found)
    starts_ms, ends_ms, until_ms = (_time_ms(found, name) for name in ("startsAt", "endsAt", "until"))
    repeat = _repeat(found, old)
    inherits = found.repeat is msgspec.UNSET and old is not None
    zone = found.timeZone or (old.time_zone if inherits and old is not None else "UTC")
    silence = Silence(
        id=found.id or "",
        matchers=_matchers(found.matchers or []),
        starts_ms=now_ms if starts_ms is None else starts_ms,
        ends_ms=0 if ends_ms is None else ends_ms,
        updated_ms=now_ms,
        created_by=found.createdBy or "",
        comment=found.comment or "",
        repeat=repeat,
        time_zone=_zone(zone),
        until_ms=old.until_ms if until_ms is None and inherits and old is not None else until_ms,
    )
    wrong = problem(silence, now_ms)
    if wrong is not None:
        about_times = wrong.startswith(("start time", "end time"))
        raise told(400, f"{'Failed to create silence: ' if about_times else _OURS}{wrong}")
    return silence


def _decoded(body: bytes) -> _Silence:
    if not body.strip():
        raise outside(REQUIRED, "silence in body is required")
    try:
        return _decoder.decode(body) or _Silence()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        why = "too deeply nested" if isinstance(e, RecursionError) else str(e)
        raise malformed(f"parsing silence body failed, because {why}") from None


def _check(found: _Silence) -> None:
    for name in _REQUIRED:
        if getattr(found, name) is None:
            raise outside(REQUIRED, f"{name} in body is required")
    if not found.matchers:
        raise outside(TOO_FEW, "matchers in body should have at least 1 items")
    for i, one in enumerate(found.matchers):
        for name in ("isRegex", "name", "value"):
            if getattr(one, name) is None:
                raise outside(REQUIRED, f"matchers.{i}.{name} in body is required")
    for name in ("comment", "createdBy"):
        if len(getattr(found, name)) > _MAX_TEXT:
            raise told(400, f"{_OURS}{name} is too long; {_MAX_TEXT:,} characters at most")


def _time_ms(found: _Silence, name: str) -> int | None:
    try:
        return parsed_ms(getattr(found, name))
    except ValueError as e:
        raise malformed(f"parsing silence body failed, because {name}: {e}") from None


def _repeat(found: _Silence, old: Silence | None) -> Repeat | None:
    if found.repeat is msgspec.UNSET:
        return old.repeat if old is not None else None
    if not found.repeat:
        return None
    try:
        return Repeat(str(found.repeat))
    except ValueError:
        sentence = f"repeat in body must be daily or weekly, not {str(found.repeat)[:60]!r}"
        raise outside(INVALID_TYPE, sentence) from None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        sentence = f"timeZone in body: there is no time zone {name[:60]!r}; write for example Europe/Berlin"
        raise outside(INVALID_TYPE, sentence) from None
    return name


def _matchers(some: Sequence[_Matcher]) -> tuple[Matcher, ...]:
    found = []
    for i, one in enumerate(some):
        equal = one.isEqual is not False
        operator = ("=~" if equal else "!~") if one.isRegex else ("=" if equal else "!=")
        if not one.name:
            raise told(400, f'{_OURS}invalid label matcher {i}: invalid label name ""')
        try:
            found.append(matcher(one.name, operator, one.value or ""))
        except ValueError as e:
            raise told(400, f"{_OURS}invalid label matcher {i}: {e}") from None
    return tuple(found)


def shown_silence(silence: Silence, now_ms: int) -> dict[str, Any]:
    """As the API has it."""
    starts_ms, ends_ms = silence.starts_ms, silence.ends_ms
    more: dict[str, Any] = {}
    if silence.repeat is not None:
        until = None if silence.until_ms is None else shown(silence.until_ms)
        more = {"repeat": silence.repeat, "timeZone": silence.time_zone, "until": until}
        over_ms = ends_ms if silence.until_ms is None else silence.until_ms
        starts_ms, ends_ms = stretch(silence, now_ms) or (min(starts_ms, over_ms), over_ms)
    return {
        "id": silence.id,
        "status": {"state": state(silence, now_ms)},
        "updatedAt": shown(silence.updated_ms),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": shown(ends_ms),
        "matchers": [
            {"isEqual": m.equal, "isRegex": m.regex, "name": m.name, "value": m.value}
            for m in silence.matchers
        ],
        "startsAt": shown(starts_ms),
        **more,
    }


def selected(silences: Sequence[Silence], filters: Sequence[Matcher]) -> list[Silence]:
    """Those that have each of the matchers, just as it is."""
    return [s for s in silences if all(wanted in s.matchers for wanted in filters)]


_RANK: Mapping[str, int] = {SilenceState.ACTIVE: 1, SilenceState.PENDING: 2, SilenceState.EXPIRED: 3}


def in_order(some: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Active ones first, the next to end first; then those to come, the next first; then those that are over,
    the last first."""

    def key(one: dict[str, Any]) -> tuple[int, float]:
        found = one["status"]["state"]
        time_ms = parsed_ms(one["startsAt" if found == SilenceState.PENDING else "endsAt"]) or 0
        return _RANK[found], -time_ms if found == SilenceState.EXPIRED else time_ms

    return sorted(some, key=key)


def new_id() -> str:
    """A new silence's."""
    return str(uuid.uuid4())
