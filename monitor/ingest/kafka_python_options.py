"""librdkafka's property names for kafka-python, so that one configuration serves both clients."""

import base64
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider

from monitor.errors import ConfigError, SourceError

__all__ = ["OidcTokens", "UnsecuredTokens", "translate"]

_TOKEN_TIMEOUT_S = 10.0
_TRUE, _FALSE = ("true", "1", "t", "yes"), ("false", "0", "f", "no")


def _text(value: str) -> str:
    return value


def _upper(value: str) -> str:
    return value.upper()


def _bool(value: str) -> bool:
    if value.lower() not in _TRUE + _FALSE:
        raise ValueError("is neither true nor false")
    return value.lower() in _TRUE


def _https(value: str) -> bool:
    if value.lower() not in ("https", "none"):
        raise ValueError("is neither https nor none")
    return value.lower() == "https"


_NAMES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "allow.auto.create.topics": ("allow_auto_create_topics", _bool),
    "check.crcs": ("check_crcs", _bool),
    "client.id": ("client_id", _text),
    "client.rack": ("client_rack", _text),
    "connections.max.idle.ms": ("connections_max_idle_ms", int),
    "fetch.max.bytes": ("fetch_max_bytes", int),
    "fetch.message.max.bytes": ("max_partition_fetch_bytes", int),
    "fetch.min.bytes": ("fetch_min_bytes", int),
    "fetch.wait.max.ms": ("fetch_max_wait_ms", int),
    "group.instance.id": ("group_instance_id", _text),
    "heartbeat.interval.ms": ("heartbeat_interval_ms", int),
    "isolation.level": ("isolation_level", _text),
    "max.partition.fetch.bytes": ("max_partition_fetch_bytes", int),
    "max.poll.interval.ms": ("max_poll_interval_ms", int),
    "metadata.max.age.ms": ("metadata_max_age_ms", int),
    "receive.message.max.bytes": ("receive_message_max_bytes", int),
    "reconnect.backoff.max.ms": ("reconnect_backoff_max_ms", int),
    "reconnect.backoff.ms": ("reconnect_backoff_ms", int),
    "retry.backoff.ms": ("retry_backoff_ms", int),
    "sasl.kerberos.service.name": ("sasl_kerberos_service_name", _text),
    "sasl.mechanism": ("sasl_mechanism", _upper),
    "sasl.mechanisms": ("sasl_mechanism", _upper),
    "sasl.password": ("sasl_plain_password", _text),
    "sasl.username": ("sasl_plain_username", _text),
    "security.protocol": ("security_protocol", _upper),
    "session.timeout.ms": ("session_timeout_ms", int),
    "socket.receive.buffer.bytes": ("receive_buffer_bytes", int),
    "socket.send.buffer.bytes": ("send_buffer_bytes", int),
    "socket.timeout.ms": ("request_timeout_ms", int),
    "ssl.ca.location": ("ssl_cafile", _text),
    "ssl.certificate.location": ("ssl_certfile", _text),
    "ssl.cipher.suites": ("ssl_ciphers", _text),
    "ssl.crl.location": ("ssl_crlfile", _text),
    "ssl.endpoint.identification.algorithm": ("ssl_check_hostname", _https),
    "ssl.key.location": ("ssl_keyfile", _text),
    "ssl.key.password": ("ssl_password", _text),
    "topic.metadata.refresh.interval.ms": ("metadata_max_age_ms", int),
}
_TOKEN_NAMES = {
    "enable.sasl.oauthbearer.unsecure.jwt",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.token.endpoint.url",
}
_VERIFY = "enable.ssl.certificate.verification"


def translate(options: Mapping[str, str]) -> dict[str, Any]:
    """The options as kafka-python's keywords. Raises ConfigError naming each that it has no word for."""
    translated: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in options.items():
        if name in _TOKEN_NAMES or name == _VERIFY:
            continue
        if name not in _NAMES:
            problems.append(f"source.kafka.options.{name}: kafka-python has no such option; remove it")
            continue
        keyword, parse = _NAMES[name]
        try:
            translated[keyword] = parse(str(value))
        except ValueError as e:
            problems.append(f"source.kafka.options.{name}: {value!r} can't be: {e}")
    if translated.get("sasl_mechanism") == "OAUTHBEARER":
        translated["sasl_oauth_token_provider"] = _token_provider(options, problems)
    _check_tls(options, translated, problems)
    if problems:
        raise ConfigError(problems)
    return translated


def _check_tls(options: Mapping[str, str], translated: dict[str, Any], problems: list[str]) -> None:
    """Makes the TLS context here and now, so that a file that is not there is told at the start."""
    if not str(translated.get("security_protocol", "")).endswith("SSL"):
        return
    try:
        context = ssl.create_default_context(cafile=translated.get("ssl_cafile"))
        context.check_hostname = translated.get("ssl_check_hostname", True)
        if str(options.get(_VERIFY, "true")).lower() in _FALSE:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if "ssl_certfile" in translated:
            context.load_cert_chain(
                translated["ssl_certfile"], translated.get("ssl_keyfile"), translated.get("ssl_password")
            )
        if "ssl_crlfile" in translated:
            context.load_verify_locations(translated["ssl_crlfile"])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        if "ssl_ciphers" in translated:
            context.set_ciphers(translated["ssl_ciphers"])
    except (OSError, ssl.SSLError) as e:
        problems.append(f"source.kafka.options.ssl.*: {e}")
    else:
        translated["ssl_context"] = context


def _token_provider(options: Mapping[str, str], problems: list[str]) -> AbstractTokenProvider | None:
    if options.get("sasl.oauthbearer.method", "default").lower() == "oidc":
        needed = ("client.id", "client.secret", "token.endpoint.url")
        missing = [f"sasl.oauthbearer.{n}" for n in needed if f"sasl.oauthbearer.{n}" not in options]
        problems += [f"source.kafka.options.{name}: is needed for the method oidc" for name in missing]
        return None if missing else OidcTokens(options)
    if str(options.get("enable.sasl.oauthbearer.unsecure.jwt", "false")).lower() in _TRUE:
        return UnsecuredTokens(options.get("sasl.oauthbearer.config", ""))
    problems.append("source.kafka.options.sasl.oauthbearer.method: OAUTHBEARER needs the method oidc")
    return None


class UnsecuredTokens(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    """Unsecured JWS (RFC 7515, `alg` none) by `sasl.oauthbearer.config`: for tests, never in production."""

    def __init__(self, config: str) -> None:
        settings = dict(part.split("=", 1) for part in config.split() if "=" in part)
        self._claim = settings.pop("principalClaimName", "sub")
        self._principal = settings.pop("principal", "")
        self._life_s = int(settings.pop("lifeSeconds", "3600"))
        self._scope = settings.pop("scope", "")
        self._scope_claim = settings.pop("scopeClaimName", "scope")
        self._extensions = {
            name.removeprefix("extension_"): value
            for name, value in settings.items()
            if name.startswith("extension_")
        }

    def token(self) -> str:
        now_s = time.time()
        claims: dict[str, Any] = {self._claim: self._principal, "iat": now_s, "exp": now_s + self._life_s}
        if self._scope:
            claims[self._scope_claim] = self._scope.split(",")
        return f"{_base64({'alg': 'none', 'typ': 'JWT'})}.{_base64(claims)}."

    def extensions(self) -> dict[str, str]:
        return self._extensions


class OidcTokens(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    """Tokens by the client-credentials grant (RFC 6749, 4.4), renewed when most of their life is over."""

    def __init__(self, options: Mapping[str, str]) -> None:
        credentials = ":".join(
            urllib.parse.quote(options[f"sasl.oauthbearer.client.{part}"], safe="")
            for part in ("id", "secret")
        )
        fields = {"grant_type": "client_credentials", "scope": options.get("sasl.oauthbearer.scope", "")}
        self._url = options["sasl.oauthbearer.token.endpoint.url"]
        self._body = urllib.parse.urlencode({k: v for k, v in fields.items() if v}).encode()
        self._authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
        given = options.get("sasl.oauthbearer.extensions", "")
        self._extensions = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
        self._token = ""
        self._until_s = 0.0

    def token(self) -> str:
        """Blocks for seconds at most where a new token is needed. Raises SourceError without one."""
        if time.monotonic() >= self._until_s:
            answer = self._ask()
            self._token = str(answer["access_token"])
            self._until_s = time.monotonic() + 0.8 * float(answer.get("expires_in", 60))
        return self._token

    def extensions(self) -> dict[str, str]:
        return self._extensions

    def _ask(self) -> dict[str, Any]:
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        # The address is from the configuration, and librdkafka takes https and http as well.
        request = urllib.request.Request(self._url, self._body, headers)
        try:
            with urllib.request.urlopen(request, timeout=_TOKEN_TIMEOUT_S) as response:
                answer = json.load(response)
        except (OSError, ValueError) as e:
            raise SourceError(f"kafka: no token from {self._url}: {e}; check sasl.oauthbearer.*") from e
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise SourceError(
                f"kafka: {self._url} answered without an access_token; check sasl.oauthbearer.*"
            )
        return answer


def _base64(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
