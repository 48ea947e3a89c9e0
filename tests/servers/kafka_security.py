"""How the test broker is secured, from both sides: its listeners' settings and the client's.

Every SASL listener takes PLAIN, SCRAM-SHA-256 and OAUTHBEARER with unsecured tokens, as `USER` with
`PASSWORD`; the SSL listener takes clients with and without a certificate.
"""

import base64
import json
import time
from collections.abc import Mapping

from tests.servers.certificates import Certificates, Pair

USER = "monitor"
PASSWORD = "monitor-secret"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "OAUTHBEARER")
PROTOCOLS = ("PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL", "SSL")

_SASL_MODULES = {
    "plain": f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "scram-sha-256": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "oauthbearer": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    f'unsecuredLoginStringClaim_sub="{USER}";',
}


def broker_settings(certificates: Certificates) -> dict[str, str]:
    """Return the settings of the listeners named like their protocol."""
    return {
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        **_sasl("sasl_plaintext"),
        **_sasl("sasl_ssl"),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": _one_line(certificates.server.key.read_text()),
        "ssl.keystore.certificate.chain": _one_line(certificates.server.certificate.read_text()),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": _one_line(certificates.authority.certificate.read_text()),
        "ssl.client.auth": "requested",
    }


def scram_user() -> str:
    """Return the argument of Kafka's `storage format --add-scram` that creates the user."""
    return f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]"


def client_settings(
    protocol: str, mechanism: str | None, certificates: Certificates, certificate: Pair | None = None
) -> Mapping[str, object]:
    """Return librdkafka's settings for a listener; `certificate` is the client's own, for mutual TLS."""
    settings: dict[str, object] = {"security.protocol": protocol}
    if protocol.endswith("SSL"):
        settings["ssl.ca.location"] = str(certificates.authority.certificate)
    if certificate is not None:
        settings["ssl.certificate.location"] = str(certificate.certificate)
        settings["ssl.key.location"] = str(certificate.key)
    if not protocol.startswith("SASL_"):
        return settings
    settings["sasl.mechanism"] = mechanism or "PLAIN"
    if mechanism == "OAUTHBEARER":
        settings["enable.sasl.oauthbearer.unsecure.jwt"] = True
        settings["sasl.oauthbearer.config"] = f"principal={USER}"
    else:
        settings["sasl.username"] = USER
        settings["sasl.password"] = PASSWORD
    return settings


def unsecured_token(principal: str = USER, lifetime_s: float = 3600.0) -> tuple[str, float]:
    """Return a token that the broker takes (RFC 7515, `alg` none), and its end in unix seconds."""
    now = time.time()
    header = {"alg": "none", "typ": "JWT"}
    claims = {"sub": principal, "iat": now, "exp": now + lifetime_s}
    return f"{_base64(header)}.{_base64(claims)}.", now + lifetime_s


def _sasl(listener: str) -> dict[str, str]:
    return {f"listener.name.{listener}.{name}.sasl.jaas.config": jaas for name, jaas in _SASL_MODULES.items()}


def _one_line(pem: str) -> str:
    return pem.strip().replace("\n", "\\n")


def _base64(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
