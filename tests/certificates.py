"""TLS certificates for 127.0.0.1: a valid one, invalid ones, and their authority."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import trustme


@cache
def authority() -> trustme.CA:
    """Return the authority that the tests trust."""
    return trustme.CA()


def trust_in(folder: Path) -> Path:
    """Write the certificate of the authority to a file for SSL_CERT_FILE."""
    file = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(file))
    return file


WRONG = ("expired", "not yet valid", "self-signed", "of an unknown authority", "of another host")


@cache
def shown(how: str = "right") -> ssl.SSLContext:
    """Return the TLS context of a server at 127.0.0.1: with a valid certificate, or one of `WRONG`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if how == "self-signed":
        own = trustme.CA()
        with own.cert_pem.tempfile() as certificate, own.private_key_pem.tempfile() as key:
            context.load_cert_chain(certificate, key)
        return context
    dates = {
        "expired": {"not_before": datetime(2020, 1, 1, tzinfo=UTC), "not_after": datetime(2020, 2, 1, tzinfo=UTC)},
        "not yet valid": {
            "not_before": datetime(2150, 1, 1, tzinfo=UTC),
            "not_after": datetime(2151, 1, 1, tzinfo=UTC),
        },
    }.get(how, {})
    issuer = trustme.CA() if how == "of an unknown authority" else authority()
    name = "elsewhere.example.com" if how == "of another host" else "127.0.0.1"
    issuer.issue_cert(name, **dates).configure_cert(context)
    return context
