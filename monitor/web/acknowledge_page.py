"""The page behind a link that acknowledges: what the incident is, and a form, or why there is none."""

import base64
import functools
import hashlib
from collections.abc import Iterator
from importlib import resources

from jinja2 import Template
from starlette.responses import HTMLResponse

from monitor.paging.incidents.incident import Incident
from monitor.paging.links.following import Followed, Standing
from monitor.paging.templates.sandbox import environment
from monitor.paging.templates.times import length, moment
from monitor.paging.templates.wording import cut

__all__ = ["page", "refused_page"]

_STYLE = """
:root { color-scheme: light dark; --text: #1c2128; --quiet: #57606a; --line: #d0d7de; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --quiet: #9198a1; --line: #3d444d; --back: #0d1117; }
}
body { margin: 0; background: var(--back); color: var(--text); font: 17px/1.5 system-ui, sans-serif; }
main { max-width: 36rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.45rem; line-height: 1.3; margin: .6rem 0; overflow-wrap: anywhere; }
.mark { border-left: 5px solid #9a6700; padding-left: .7rem; margin: 0; color: var(--quiet); }
.mark.page { border-color: #cf222e; } .mark.over { border-color: #1a7f37; }
form { margin: 1.5rem 0; }
label { display: block; margin-bottom: .3rem; }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .7rem; color: inherit;
  background: transparent; border: 1px solid var(--quiet); border-radius: 6px; }
button { margin-top: .9rem; width: 100%; font: inherit; font-weight: 600; padding: .7rem;
  color: #fff; background: #0969da; border: 0; border-radius: 6px; cursor: pointer; }
button:focus-visible, input:focus-visible { outline: 3px solid #54aeff; outline-offset: 2px; }
.mistake { color: #cf222e; margin: .4rem 0 0; }
table { border-collapse: collapse; margin-top: 1.5rem; width: 100%; border-top: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: .45rem 1rem .45rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: normal; color: var(--quiet); white-space: nowrap; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Nobody keeps the page, frames it, or learns from a referrer where it was.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
}
_STATUS = {
    Standing.NOTED: 202,
    Standing.USED: 410,
    Standing.EXPIRED: 410,
    Standing.FORGED: 403,
    Standing.UNKNOWN: 404,
}
# Somebody wanted to do what can't be done any more.
_CONFLICT = frozenset((Standing.ACKNOWLEDGED, Standing.RESOLVED))


def page(followed: Followed, now_ms: int, *, posted: bool = False, mistake: str = "") -> HTMLResponse:
    """The page, with the status that its standing calls for."""
    incident = followed.incident
    heading, sentence = _words(followed, now_ms)
    status = 409 if posted and followed.standing in _CONFLICT else _STATUS.get(followed.standing, 200)
    text = _template().render(
        style=_STYLE,
        heading=heading,
        sentence=sentence,
        form=followed.standing is Standing.OPEN,
        mistake=mistake,
        incident=incident,
        phase=str(incident.phase) if incident is not None else "",
        over=incident is not None and (not incident.is_open or incident.acknowledged_ms is not None),
        rows=[] if incident is None else list(_rows(incident, now_ms)),
        name="",
    )
    return HTMLResponse(text, 400 if mistake else status, _HEADERS)


def refused_page(status: int, heading: str, sentence: str, retry_after_s: int) -> HTMLResponse:
    """A page about no incident: the server can't or won't say now."""
    text = _template().render(style=_STYLE, heading=heading, sentence=sentence)
    return HTMLResponse(text, status, {**_HEADERS, "Retry-After": str(retry_after_s)})


@functools.cache
def _template() -> Template:
    source = resources.files(__package__).joinpath("pages", "acknowledge.html.j2")
    return environment(html=True).from_string(source.read_text(encoding="utf-8"))


def _words(followed: Followed, now_ms: int) -> tuple[str, str]:
    """A heading and a sentence."""
    incident = followed.incident
    stands = "" if incident is None else _stands(incident, now_ms)
    title = "" if incident is None else cut(incident.title, 300)
    match followed.standing:
        case Standing.OPEN:
            return title, "Acknowledge it if you take it on: repeats and escalation then stop."
        case Standing.DONE:
            return "Acknowledged: you have it", f"{title}. Repeats and escalation have stopped."
        case Standing.NOTED:
            return (
                "Noted: you have it",
                f"{title}. The pager has not taken it up yet; it will as soon as it runs.",
            )
        case Standing.ACKNOWLEDGED:
            return "Somebody has it already", f"{title}. {stands}"
        case Standing.RESOLVED:
            return "It is over", f"{title}. {stands}"
        case Standing.USED:
            return "This link was used", f"Each link works once. {stands}"
        case Standing.EXPIRED:
            return (
                "This link has expired",
                "A newer message has one that works; so does `monitor incident ack`.",
            )
        case Standing.FORGED:
            return (
                "This link is not valid",
                "It was changed on its way, or the key that signs links is another one now. Open it from the "
                "message itself, or use `monitor incident ack`.",
            )
        case Standing.UNKNOWN:
            return "There is nothing here", "This is no link of ours, or its incident is no longer known."


def _stands(incident: Incident, now_ms: int) -> str:
    """Who has it, and whether it is over."""
    said = []
    if incident.acknowledged_ms is not None:
        at = moment(incident.acknowledged_ms, "UTC", now_ms)
        said.append(f"Acknowledged by {incident.acknowledged_by} at {at}.")
    if incident.resolved_ms is not None:
        said.append(f"Resolved at {moment(incident.resolved_ms, 'UTC', now_ms)}.")
    return " ".join(said) or "Nobody has acknowledged it; a newer message has a newer link."


def _rows(incident: Incident, now_ms: int) -> Iterator[tuple[str, str]]:
    began = moment(incident.began_ms, "UTC", now_ms)
    until_ms = now_ms if incident.resolved_ms is None else incident.resolved_ms
    yield "Since", f"{began}, for {length(until_ms - incident.began_ms)}"
    for name, value in incident.key:
        yield name.capitalize(), cut(value, 200)
    alerts = sorted(set(incident.evidence.values()))
    more = f" and {len(alerts) - 10} more" if len(alerts) > 10 else ""
    yield "Alerts", ", ".join(cut(alert, 200) for alert in alerts[:10]) + more
    if incident.owner:
        yield "Owner", incident.owner
    if incident.commander:
        yield "Led by", incident.commander
    if incident.acknowledged_by:
        yield "Acknowledged", incident.acknowledged_by
