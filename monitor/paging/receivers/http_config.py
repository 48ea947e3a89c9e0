"""How a provider is reached, by Alertmanager's own keys."""

import functools
import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import httpx
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitor.config.section import Section, Text

__all__ = [
    "PLAIN",
    "Authorization",
    "BasicAuth",
    "HeaderValues",
    "HttpConfig",
    "Secret",
    "TlsConfig",
    "Url",
    "authorization",
    "secret",
    "tls_context",
]


def _url(text: str) -> str:
    if text and not re.match(r"https?://[^/\s]", text):
        raise ValueError("must begin with http:// or https:// and a host")
    return text


def _oauth(_: Any) -> Any:
    raise ValueError("OAuth isn't known here; use authorization, basic_auth, or a proxy that adds it")


Secret = Annotated[str, Field(repr=False)]
Url = Annotated[str, AfterValidator(_url), Field(repr=False)]


_TlsVersion = Literal["", "TLS10", "TLS11", "TLS12", "TLS13"]


class BasicAuth(Section):
    """A name and a password, each of which stands in a file if not here."""

    username: str = ""
    username_file: Path | None = None
    password: Secret = ""
    password_file: Path | None = None


class Authorization(Section):
    """A header `Authorization: <type> <credentials>`."""

    type: Text = "Bearer"
    credentials: Secret = ""
    credentials_file: Path | None = None


class TlsConfig(Section):
    """Whom to trust, and who we are; each by a file, or as PEM in the configuration itself."""

    ca: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: _TlsVersion = ""
    max_version: _TlsVersion = ""


class HeaderValues(Section):
    """The values of one header of a request."""

    values: tuple[str, ...] = ()
    secrets: Annotated[tuple[str, ...], Field(repr=False)] = ()
    files: tuple[Path, ...] = ()


class HttpConfig(Section):
    """How a provider is reached, as in Alertmanager. HTTP/2 is never spoken, whatever `enable_http2` says."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: Annotated[Any, BeforeValidator(_oauth)] = None
    bearer_token: Secret = ""
    bearer_token_file: Path | None = None
    proxy_url: Annotated[Text | None, Field(repr=False)] = None
    proxy_from_environment: bool = False
    follow_redirects: bool = True
    enable_http2: bool = True
    tls_config: TlsConfig = TlsConfig()
    http_headers: dict[Text, HeaderValues] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_authorization(self) -> Self:
        keys = ("basic_auth", "authorization", "bearer_token", "bearer_token_file")
        if len(some := [key for key in keys if getattr(self, key)]) > 1:
            raise ValueError(f"has {' and '.join(some)}; keep one of them")
        return self


PLAIN = HttpConfig()


def secret(value: str, file: Path | None) -> str:
    """The value, or what its file holds now, so that a secret may be changed without a restart. Raises
    OSError or UnicodeDecodeError where the file can't be read."""
    return file.read_text(encoding="utf-8").strip() if file is not None else value


def authorization(config: HttpConfig) -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """The headers of a request, and name and password for basic authentication. Raises as `secret`."""
    headers: list[tuple[str, str]] = []
    if config.authorization is not None:
        given = config.authorization
        headers.append(("Authorization", f"{given.type} {secret(given.credentials, given.credentials_file)}"))
    elif token := secret(config.bearer_token, config.bearer_token_file):
        headers.append(("Authorization", f"Bearer {token}"))
    for name, header in config.http_headers.items():
        values = (*header.values, *header.secrets, *(secret("", file) for file in header.files))
        headers += [(name, value) for value in values]
    basic = config.basic_auth
    if basic is None:
        return headers, None
    return headers, (
        secret(basic.username, basic.username_file),
        secret(basic.password, basic.password_file),
    )


def tls_context(config: TlsConfig) -> ssl.SSLContext:
    """What a connection goes by. Raises OSError where a file can't be read or holds no certificate."""
    if config == TlsConfig() or config == TlsConfig(server_name=config.server_name):
        return _usual_context()
    if config.ca or config.ca_file:
        context = ssl.create_default_context(cafile=config.ca_file, cadata=config.ca or None)
    else:
        context = httpx.create_ssl_context()
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.cert_file is not None:
        context.load_cert_chain(config.cert_file, config.key_file)
    versions = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
    context.minimum_version = versions.get(config.min_version, context.minimum_version)
    context.maximum_version = versions.get(config.max_version, context.maximum_version)
    return context


# Reading all the world's certificates takes 20 ms, too long for each message of a storm.
_usual_context = functools.cache(httpx.create_ssl_context)
