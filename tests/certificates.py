"""Certificates for 127.0.0.1, a right one and some that are wrong in one way each, and the authority behind them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import trustme


@cache
def authority() -> trustme.CA:
    """The authority that the tests trust."""
    return trustme.CA()


def trust_in(folder: Path) -> Path:
    """Write what makes a program trust the authority, when SSL_CERT_FILE names it."""
    file = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(file))
    return file


WRONG = ("expired", "not yet valid", "self-signed", "of an unknown authority", "of another host")


@cache
def shown(how: str = "right") -> ssl.SSLContext:
    """Make what a server at 127.0.0.1 shows its certificate with, which is right unless it is one of `WRONG`."""
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
