"""Certificate verification of TLS connections."""

from __future__ import annotations

import ssl


def system_trust() -> ssl.SSLContext:
    """Return a TLS context with the certificates of the operating system, which may include a company's own."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
