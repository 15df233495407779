"""An authority and a certificate that it has signed, as files of TLS."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Any

from probatum.campaigns.executors.dask_settings import TlsFiles


def write_certificates(folder: Path, name: str) -> TlsFiles:
    """An authority, and a certificate for this machine that it has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)

    def certificate(about: str, key: Any, issuer: str, signing: Any, authority: bool) -> x509.Certificate:
        def named(common: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

        builder = x509.CertificateBuilder().subject_name(named(about)).issuer_name(named(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return builder.add_extension(addresses, critical=False).sign(signing, hashes.SHA256())

    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    files = {part: folder / f"{name}-{part}.pem" for part in ("ca", "certificate", "key")}
    files["ca"].write_bytes(certificate(name, root, name, root, True).public_bytes(pem))
    files["certificate"].write_bytes(certificate("worker", own, name, root, False).public_bytes(pem))
    no_password = serialization.NoEncryption()
    files["key"].write_bytes(own.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))
    return TlsFiles(**{part: str(file) for part, file in files.items()})
