"""The part of a link that nobody can guess or change: what it is about, and a MAC over that.

Pure: a key and a link in, text out, and back.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Bad", "Link", "read", "sign"]

_VERSION = 1
_HEAD, _NONCE, _MAC = 12, 12, 16
_MOST_RECEIVER = 150
_MOST_CHARACTERS = 300
_PURPOSE = b"monitor acknowledge link\n"


@dataclass(frozen=True, slots=True)
class Link:
    """Acknowledges `incident` until `expires_s`; it went to `receiver` with the message that `nonce` (12
    bytes) stands for."""

    incident: int
    receiver: str
    expires_s: int
    nonce: bytes

    @property
    def mark(self) -> str:
        """What notes that it was used: it tells nothing of the link, and is the same however often its
        message was sent."""
        about = self.incident.to_bytes(8) + self.nonce + self.receiver.encode()
        return hashlib.sha256(about).hexdigest()


class Bad(StrEnum):
    """Why a text is no link."""

    MALFORMED = "malformed"  # never made by any key
    FORGED = "forged"  # changed, or made with another key


def sign(key: bytes, link: Link) -> str:
    """The link as a text for a URL; a receiver with a long name is cut."""
    receiver = link.receiver.encode()[:_MOST_RECEIVER].decode(errors="ignore").encode()
    head = _VERSION.to_bytes(1) + link.incident.to_bytes(6) + link.expires_s.to_bytes(5)
    payload = head + link.nonce + receiver
    return base64.urlsafe_b64encode(payload + _mac(key, payload)).rstrip(b"=").decode()


def read(key: bytes, text: str) -> Link | Bad:
    """The link that `sign` made a text of with the same key, and nothing else: one link has one text."""
    raw = _decoded(text)
    if raw is None or len(raw) < _HEAD + _NONCE + _MAC or raw[0] != _VERSION:
        return Bad.MALFORMED
    payload, mac = raw[:-_MAC], raw[-_MAC:]
    if not hmac.compare_digest(_mac(key, payload), mac):
        return Bad.FORGED
    nonce, receiver = payload[_HEAD : _HEAD + _NONCE], payload[_HEAD + _NONCE :]
    incident, expires_s = int.from_bytes(payload[1:7]), int.from_bytes(payload[7:_HEAD])
    return Link(incident, receiver.decode(), expires_s, nonce)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, "sha256")[:_MAC]


def _decoded(text: str) -> bytes | None:
    if len(text) > _MOST_CHARACTERS or not text.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    # The decoder skips what is no digit, and bits that a last digit has too many.
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text else None
