"""The certificates that TLS connections are checked against."""

from __future__ import annotations

import ssl


def system_trust() -> ssl.SSLContext:
    """Trust what the operating system trusts: companies have certificates of their own."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
