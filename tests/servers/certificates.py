"""A certificate authority for one test run, and what it signs for 127.0.0.1, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.server import ServerFailed

DAYS = "7"
OPENSSL_TIMEOUT_S = 30
CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = monitor-tests
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key (PKCS #8, not encrypted), both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority that clients are to trust, and pairs that it signed."""

    authority: Pair
    server: Pair
    client: Pair


def make_certificates(folder: Path) -> Certificates:
    """Make an authority, a server's pair and a client's pair in `folder`, valid for a week.

    Blocks for a fraction of a second. Raises ServerFailed with openssl's own words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "openssl.cnf"
    config.write_text(CONFIG)
    authority = _request(folder, "ca", "-extensions", "ca")
    signed = ("-extensions", "leaf", "-CA", str(authority.certificate), "-CAkey", str(authority.key))
    return Certificates(authority, _request(folder, "server", *signed), _request(folder, "client", *signed))


def _request(folder: Path, name: str, *options: str) -> Pair:
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-config", str(folder / "openssl.cnf"), "-days", DAYS, "-nodes"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN=monitor-tests-{name}"]
    command += ["-keyout", str(pair.key), "-out", str(pair.certificate), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=OPENSSL_TIMEOUT_S, check=False)
    if run.returncode != 0:
        raise ServerFailed(f"openssl could not make {pair.certificate}:\n{run.stderr}")
    return pair
