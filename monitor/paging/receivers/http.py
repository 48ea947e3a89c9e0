"""Telling a provider over HTTP, and what its answer means for the next try."""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, Field

from monitor.config.section import Section, Text
from monitor.paging.message import Delivery, Result

__all__ = ["PLAIN", "Authorization", "BasicAuth", "HttpConfig", "TlsConfig", "Url", "post", "secret"]

_SHOWN_CHARACTERS = 200


def _url(text: str) -> str:
    if text and not re.match(r"https?://[^/\s]", text):
        raise ValueError("must begin with http:// or https:// and a host")
    return text


Url = Annotated[str, AfterValidator(_url), Field(repr=False)]


class BasicAuth(Section):
    """A name and a password, which stands in a file if not here."""

    username: str = ""
    password: Annotated[str, Field(repr=False)] = ""
    password_file: Path | None = None


class Authorization(Section):
    """A header `Authorization: <type> <credentials>`."""

    type: Text = "Bearer"
    credentials: Annotated[str, Field(repr=False)] = ""
    credentials_file: Path | None = None


class TlsConfig(Section):
    """Whom to trust, and who we are."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False


class HttpConfig(Section):
    """How a provider is reached, as in Alertmanager."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: Annotated[str, Field(repr=False)] = ""
    bearer_token_file: Path | None = None
    proxy_url: Text | None = None
    follow_redirects: bool = True
    enable_http2: bool = True
    tls_config: TlsConfig = TlsConfig()


PLAIN = HttpConfig()


def secret(value: str, file: Path | None) -> str:
    """The value, or what its file holds now, so that a secret may be changed without a restart. Raises
    OSError where the file can't be read."""
    return file.read_text(encoding="utf-8").strip() if file is not None else value


def post(
    url: str,
    body: Any,
    timeout_s: float,
    config: HttpConfig = PLAIN,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    now: datetime | None = None,
) -> tuple[Delivery, httpx.Response | None]:
    """Sends `body` as JSON, and says what became of it; the response where there was one.

    Neither the URL nor a header is in the delivery's detail, for both may hold secrets.
    """
    try:
        sent = {"User-Agent": "monitor", **_authorization(config), **(headers or {})}
        with httpx.Client(
            verify=_verify(config.tls_config),
            proxy=config.proxy_url,
            # A redirect of a POST may lose its body, or take the secret elsewhere.
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_s),
            auth=_basic(config),
        ) as client:
            response = client.request(method, url, json=body, headers=sent)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
        return Delivery(Result.TRANSIENT, f"can't be reached: {_plain(e)}"), None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Delivery(Result.PERMANENT, "its URL is none; correct it"), None
    except httpx.TransportError as e:
        return Delivery(Result.DOUBTFUL, f"broke off before it answered: {_plain(e)}"), None
    except OSError as e:
        wrong = (e.strerror or str(e)).lower()
        return Delivery(Result.PERMANENT, f"a file of its settings can't be read: {wrong}"), None
    return _read(response, now), response


def _plain(error: Exception) -> str:
    return type(error).__name__


def _read(response: httpx.Response, now: datetime | None) -> Delivery:
    status = response.status_code
    if 200 <= status < 300:
        return Delivery(Result.DELIVERED, f"answered {status}")
    said = response.text.strip()[:_SHOWN_CHARACTERS].replace("\n", " ")
    detail = f"answered {status}" + (f": {said}" if said else "")
    if status == 429 or status >= 500 or status == 408:
        return Delivery(Result.TRANSIENT, detail, _retry_after_ms(response, now or datetime.now(UTC)))
    return Delivery(Result.PERMANENT, detail)


def _retry_after_ms(response: httpx.Response, now: datetime) -> int | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return int(text) * 1000
    try:
        return max(0, int((parsedate_to_datetime(text) - now).total_seconds() * 1000))
    except (ValueError, TypeError):
        return None


def _authorization(config: HttpConfig) -> dict[str, str]:
    if config.authorization is not None:
        given = config.authorization
        return {"Authorization": f"{given.type} {secret(given.credentials, given.credentials_file)}"}
    token = secret(config.bearer_token, config.bearer_token_file)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _basic(config: HttpConfig) -> tuple[str, str] | None:
    given = config.basic_auth
    return None if given is None else (given.username, secret(given.password, given.password_file))


def _verify(config: TlsConfig) -> ssl.SSLContext | bool:
    if config == TlsConfig():
        return True
    context = ssl.create_default_context(cafile=config.ca_file)
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.cert_file is not None:
        context.load_cert_chain(config.cert_file, config.key_file)
    return context
