"""Alertmanager's `email_configs`, over apprise."""

from email.utils import getaddresses
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from pydantic import Field

from monitor.paging.receivers.apprise import mapped
from monitor.paging.receivers.http_config import Secret, TlsConfig, secret
from monitor.paging.receivers.texts import ReceiverSection
from monitor.paging.templates import Part

__all__ = ["KIND", "EmailConfig"]

_IMPLICIT_TLS = "465"


class EmailConfig(ReceiverSection):
    """An entry of `email_configs`."""

    send_resolved: bool = False
    to: str = ""
    from_: Annotated[str, Field(validation_alias="from", serialization_alias="from")] = ""
    hello: str = ""
    smarthost: str = ""
    auth_username: str = ""
    auth_password: Secret = ""
    auth_password_file: Path | None = None
    auth_secret: Secret = ""
    auth_identity: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    html: str = ""
    text: str = ""
    require_tls: bool = True
    tls_config: TlsConfig = TlsConfig()
    threading: dict[str, Any] = Field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What the headers say of it."""
        return next((v for k, v in self.headers.items() if k.lower() == "subject"), "")

    @property
    def other_headers(self) -> list[str]:
        """The names of the rest."""
        return [name for name in self.headers if name.lower() != "subject"]


def url(config: EmailConfig) -> str:
    """`mailtos://user:password@host:587?..`. Raises ValueError for what is missing, OSError for a file."""
    host, _, port = config.smarthost.rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError("needs smarthost as host:port, here or as smtp_smarthost in global")
    if not config.from_:
        raise ValueError("needs from, here or as smtp_from in global")
    if config.auth_secret:
        raise ValueError("CRAM-MD5 (auth_secret) isn't known to apprise; use auth_password")
    to = [address for _, address in getaddresses([config.to]) if address]
    if not to:
        raise ValueError("to names no address")
    secure = "ssl" if port == _IMPLICIT_TLS else "starttls" if config.require_tls else "insecure"
    who = ""
    if config.auth_username:
        password = secret(config.auth_password, config.auth_password_file)
        who = f"{quote(config.auth_username, safe='')}:{quote(password, safe='')}@"
    asked = {"smtp": host, "from": config.from_, "to": ",".join(to), "mode": secure}
    if config.tls_config.insecure_skip_verify:
        asked["verify"] = "no"
    scheme = "mailto" if secure == "insecure" else "mailtos"
    return f"{scheme}://{who}{host}:{port}?{urlencode(asked, quote_via=quote)}"


KIND = mapped(
    "email",
    EmailConfig,
    url,
    inherits={
        "from": "smtp_from",
        "smarthost": "smtp_smarthost",
        "auth_username": "smtp_auth_username",
        "auth_password": "smtp_auth_password",
        "auth_password_file": "smtp_auth_password_file",
        "auth_secret": "smtp_auth_secret",
        "require_tls": "smtp_require_tls",
    },
    words=(("subject", Part.TITLE), ("html", Part.HTML), ("text", Part.TEXT)),
    ignored=("other_headers", "hello", "auth_identity", "threading"),
    secrets=("auth_password",),
)
