"""Whom we trust, and who we are, over TLS."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.paging.message import Delivery, Result
from monitor.paging.receivers.http import post
from monitor.paging.receivers.http_config import HttpConfig
from tests.paging.providers import HttpProvider


def made(folder: Path) -> tuple[Path, Path]:
    """A certificate for hook.example.com that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example.com")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return made(tmp_path)


@pytest.fixture
def url(files: tuple[Path, Path]) -> Iterator[str]:
    with HttpProvider() as provider:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files[0])
        context.load_cert_chain(*files)
        context.verify_mode = ssl.CERT_OPTIONAL
        provider.secure(context)
        yield provider.url.replace("http://", "https://") + "/hook/secretsecret"


def sent(url: str, tls: dict[str, object]) -> Delivery:
    return post(url, {}, 5.0, HttpConfig.model_validate({"tls_config": tls}))[0]


def test_a_stranger_is_not_told(url: str) -> None:
    found = sent(url, {})
    assert found.result is Result.TRANSIENT
    assert "certificate verify failed" in found.detail
    assert "secretsecret" not in found.detail


def test_who_is_vouched_for_is_told(url: str, files: tuple[Path, Path]) -> None:
    named = {"ca_file": files[0], "server_name": "hook.example.com"}
    assert sent(url, named).result is Result.DELIVERED
    assert sent(url, {**named, "ca_file": None, "ca": files[0].read_text()}).result is Result.DELIVERED
    assert sent(url, {**named, "cert_file": files[0], "key_file": files[1]}).result is Result.DELIVERED
    assert sent(url, {"ca_file": files[0]}).result is Result.TRANSIENT


def test_one_may_choose_to_trust_anybody(url: str) -> None:
    assert sent(url, {"insecure_skip_verify": True}).result is Result.DELIVERED


def test_a_file_that_is_none_has_to_be_corrected(url: str, tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    for name in ("none.pem", "junk.pem"):
        assert sent(url, {"ca_file": tmp_path / name}).result is Result.PERMANENT
