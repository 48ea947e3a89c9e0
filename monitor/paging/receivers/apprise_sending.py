"""Any of the services that apprise knows, by its URL.

Of a failure apprise tells nothing but its log, from which is read what it means. A new object is made for
each message: one that is kept would make the next message wait some seconds.
"""

import logging
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

import apprise
from apprise.common import NotifyFormat, NotifyType, OverflowMode
from apprise.plugins.base import NotifyBase
from apprise.plugins.email import NotifyEmail
from apprise.result import AppriseResult, AppriseResultStatus

from monitor.paging.message import Delivery, Message, Result
from monitor.paging.receivers.http import scrubbed
from monitor.paging.templates import Part, Templates

__all__ = ["AppriseSender", "dedup_url", "known"]

# What carries a key by which the service shows one page, with the parameter that it is given in.
_DEDUP = {
    **dict.fromkeys(
        ("pagerduty", "incidentio", "ilert", "squadcast", "firehydrant", "goalert", "goalerts"), "dedup"
    ),
    **{"pagertree": "dedup", "signl4": "dedup", "splunk": "entity_id", "victorops": "entity_id"},
}
_SMS_CHARACTERS = 500
_STATUS = re.compile(r"\berror\s*[=:]\s*(\d{3})\b")
_NEVER_SENT = re.compile(
    r"refused|name or service not known|failed to resolve|getaddrinfo|no route to host"
    r"|network is unreachable|failed to establish a new connection|connect timeout|connecttimeout"
    r"|certificate",
    re.IGNORECASE,
)

# Why something failed stands only in its debug log, which also holds URLs and bodies: it goes to the result
# of a call, from which we take what is no secret, and nowhere else.
_LOG = logging.getLogger("apprise")
_LOG.setLevel(logging.DEBUG)
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())


class AppriseSender:
    """Tells what `url` gives, which is asked anew for each message; it raises OSError where a file with a
    secret can't be read."""

    def __init__(self, url: Callable[[], str], templates: Templates) -> None:
        self._url, self._templates = url, templates

    @property
    def dedups(self) -> bool:
        """Whether its service knows our keys."""
        try:
            return _scheme(self._url()) in _DEDUP
        except (OSError, UnicodeDecodeError):
            return False

    def send(self, message: Message, timeout_s: float) -> Delivery:
        """See message.Sender."""
        try:
            url = self._url()
        except (OSError, UnicodeDecodeError):
            return Delivery(Result.PERMANENT, "a file of its settings can't be read")
        target = _target(dedup_url(url, message.dedup_key), timeout_s)
        if target is None:
            return Delivery(Result.PERMANENT, "its URL is none that apprise knows; correct it")
        part = _part(target)
        sending = apprise.Apprise(asset=target.asset)
        sending.add(target)
        body = self._templates.render(part, message)
        outcome = sending.notify(
            body=body,
            title=self._templates.render(Part.TITLE, message) if part is not Part.SHORT else "",
            notify_type=_type(message),
            body_format=_format(part),
            timeout=timeout_s,
            log_level=logging.DEBUG,
        )
        return _meaning(outcome, _secrets(url))


def known(url: str) -> bool:
    """Whether apprise can do something with this URL. Sends nothing."""
    return _target(url, 4.0) is not None


def dedup_url(url: str, key: str) -> str:
    """The URL with the key in it, for those services that know one; a key that is there is kept."""
    name = _DEDUP.get(_scheme(url))
    if name is None or re.search(rf"[?&]{name}=", url):
        return url
    action = "" if re.search(r"[?&]action=", url) else "&action=map"
    return f"{url}{'&' if '?' in url else '?'}{name}={quote(key[:250], safe='')}{action}"


def _scheme(url: str) -> str:
    return url.partition("://")[0].strip().lower()


def _target(url: str, timeout_s: float) -> NotifyBase | None:
    asset = apprise.AppriseAsset(
        app_id="monitor",
        app_desc="monitor",
        app_url="",
        async_mode=False,
        storage_mode="memory",
        service_timeout=timeout_s,
    )
    target = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(target, NotifyBase):
        return None
    if "rto=" not in url:
        target.socket_read_timeout = timeout_s
    if "cto=" not in url:
        target.socket_connect_timeout = min(timeout_s, 10.0)
    if "overflow=" not in url:
        # Split in two, a page is two pages; refused, it is none.
        target.overflow_mode = OverflowMode.TRUNCATE
    return target


def _part(target: NotifyBase) -> Part:
    """The richest that the service shows; HTML only for mail, as chats know little of it."""
    if target.body_maxlen <= _SMS_CHARACTERS:
        return Part.SHORT
    given = target.notify_format
    formats = (given,) if isinstance(given, NotifyFormat) else tuple(given)
    if NotifyFormat.HTML in formats and (len(formats) == 1 or isinstance(target, NotifyEmail)):
        return Part.HTML
    return Part.MARKDOWN if NotifyFormat.MARKDOWN in formats else Part.TEXT


def _format(part: Part) -> NotifyFormat:
    found = {Part.HTML: NotifyFormat.HTML, Part.MARKDOWN: NotifyFormat.MARKDOWN}
    return found.get(part, NotifyFormat.TEXT)


def _type(message: Message) -> NotifyType:
    if not message.alerts:
        return NotifyType.INFO
    if not message.firing:
        return NotifyType.SUCCESS
    kinds = {"page": NotifyType.FAILURE, "ticket": NotifyType.WARNING, "info": NotifyType.INFO}
    return kinds.get(message.severity, NotifyType.FAILURE)


def _meaning(outcome: AppriseResult, secrets: Iterable[str]) -> Delivery:
    if outcome.status is AppriseResultStatus.SUCCESS:
        return Delivery(Result.DELIVERED, "apprise sent it")
    lines = [entry for service in outcome for entry in service.logs()]
    said = " ".join(entry.message for entry in lines)
    shown = " ".join(entry.message for entry in lines if entry.level in ("WARNING", "ERROR"))
    detail = scrubbed(shown or "apprise could not send it", secrets)
    if outcome.status is AppriseResultStatus.TIMEOUT:
        return Delivery(Result.DOUBTFUL, detail)
    codes = [int(code) for code in _STATUS.findall(said)]
    if codes:
        transient = any(code >= 500 or code in (408, 425, 429) for code in codes)
        return Delivery(Result.TRANSIENT if transient else Result.PERMANENT, detail)
    if _NEVER_SENT.search(said):
        return Delivery(Result.TRANSIENT, detail)
    return Delivery(Result.DOUBTFUL, detail)


def _secrets(url: str) -> list[str]:
    """All parts of a URL but its scheme: apprise has tokens anywhere."""
    return [part for part in re.split(r"[/:@?&=#,]+", url.partition("://")[2]) if len(part) >= 4]
