"""A certificate authority of one's own, and a certificate for each who takes part in a fleet.

A file holds a certificate and its key, as Dask takes them; the authority's key never leaves the
folder where it was made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from steelyard.errors import PrepareError, Refusal

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from distributed.security import Security

AUTHORITY = "ca.pem"
AUTHORITY_KEY = "ca-key.pem"
SCHEDULER = "scheduler.pem"
CLIENT = "client.pem"
# A board without a clock of its own may live in the past until it has asked for the time.
_BEFORE = timedelta(days=365)
_YEARS = timedelta(days=5 * 365)

_Signed = tuple["x509.Certificate", "EllipticCurvePrivateKey"]


def default_folder() -> Path:
    """Return where a person's certificates are kept: STEELYARD_FLEET, else with the settings."""
    named = os.environ.get("STEELYARD_FLEET")
    return Path(named) if named else platformdirs.user_config_path("steelyard") / "fleet"


def worker_file(label: str) -> str:
    """Return the name of a device's file."""
    return f"device-{label}.pem"


def make(folder: Path, labels: Sequence[str] = ()) -> tuple[Path, ...]:
    """Make what is not there yet: authority, scheduler, client, and a device a label.

    Returns the files that were made. Raises Refusal without `cryptography`, PrepareError where
    nothing can be written, or where the authority's key is not here.
    """
    made: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = _authority(folder, made)
        for name in (SCHEDULER, CLIENT, *map(worker_file, labels)):
            if not (folder / name).exists():
                _write(folder / name, _pem(_issued(name.removesuffix(".pem"), authority)))
                made.append(folder / name)
    except OSError as error:
        raise PrepareError(
            f"{folder}: certificates cannot be kept: {error.strerror or error}"
        ) from error
    return tuple(made)


def security(folder: Path, name: str) -> Security:
    """Return Dask's settings for who has `name`; raise Refusal where a file is not there.

    Both sides of a connection show a certificate of this authority, and nobody else is heard.
    """
    from distributed.security import Security

    for path in (folder / AUTHORITY, folder / name):
        if not path.is_file():
            raise Refusal(
                f"{path}: no such certificate\n"
                "try: steelyard fleet certificates, and copy ca.pem and a device's own file to it"
            )
    own = {
        f"tls_{role}_{part}": str(folder / name)
        for role in ("scheduler", "worker", "client")
        for part in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=str(folder / AUTHORITY), **own)


def _authority(folder: Path, made: list[Path]) -> _Signed:
    """Read the authority, or make it."""
    certificate, key = folder / AUTHORITY, folder / AUTHORITY_KEY
    if certificate.exists() != key.exists():
        raise PrepareError(
            f"{folder}: has {'no ' if not key.exists() else ''}{AUTHORITY_KEY} and "
            f"{'no ' if not certificate.exists() else ''}{AUTHORITY}: make certificates where both "
            "are, or in an empty folder"
        )
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise Refusal(
            "certificates are made by the package cryptography\ntry: pip install steelyard[fleet]"
        ) from error
    if not key.exists():
        signed = _issued("steelyard fleet", None)
        _write(key, _key_pem(signed[1]))
        _write(certificate, _certificate_pem(signed[0]))
        made += [certificate, key]
        return signed
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise PrepareError(f"{key}: not a key that steelyard made")
    return x509.load_pem_x509_certificate(certificate.read_bytes()), loaded


def _issued(name: str, authority: _Signed | None) -> _Signed:
    """Return a certificate for `name` with a new key; without an authority it is one itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    issuer = authority[0] if authority else None
    now = datetime.now(timezone.utc)
    roles = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    signer = authority[1] if authority else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(authority=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if issuer is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(roles), critical=False)
    return builder.sign(signer, hashes.SHA256()), key


def _usage(*, authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(signed: _Signed) -> bytes:
    return _key_pem(signed[1]) + _certificate_pem(signed[0])


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read from the first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
