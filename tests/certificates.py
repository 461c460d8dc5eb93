"""Certificates that tests make for a server and its clients, as PEM files."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True)
class Certificates:
    """Paths of an authority, of a server's and a client's certificate with their keys, and of a stranger."""

    authority: str
    server: str
    client: str
    stranger: str
    """An authority that signed none of these."""


def issue(folder: Path) -> Certificates:
    """Issue certificates for 127.0.0.1."""
    authority = trustme.CA()
    folder.mkdir(parents=True, exist_ok=True)
    for name, owner in (("server", "127.0.0.1"), ("client", "groundswell@example.org")):
        issued = authority.issue_cert(owner)
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        # Java reads no other format of private keys
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        (folder / f"{name}.pem").write_bytes(pem + chain)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    return Certificates(
        *(str(folder / f"{each}.pem") for each in ("authority", "server", "client", "stranger"))
    )
