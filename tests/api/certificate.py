"""A certificate for 127.0.0.1 that nobody trusts, from 2020 to 2120; its key guards nothing."""

from __future__ import annotations

import ssl
from pathlib import Path

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9vbmNhbGxj
dGwgdGVzdHMwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBoxGDAW
BgNVBAMMD29uY2FsbGN0bCB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BDrIt3NEuUGc4e0eScEnn/M5Zg9SuPMjd42/6E+f3SziL73twdeYqAjXMiHl0/D4
PvWHeSI9xR7SKHLCOpVt7RmjZDBiMA8GA1UdEQQIMAaHBH8AAAEwDwYDVR0TAQH/
BAUwAwEB/zAdBgNVHQ4EFgQU+Mw+y7Rc5iXCXYJCEvq1BAsTnR0wHwYDVR0jBBgw
FoAU+Mw+y7Rc5iXCXYJCEvq1BAsTnR0wCgYIKoZIzj0EAwIDSAAwRQIhAOkkSmAx
pRdHe4KQ+n9lCav0KA7+LEnWfy7/6bDsc5FQAiAvtQLf0Pp+unCe+bSNXBU9Cfqg
l0RK4zgBaaaQTyhbig==
-----END CERTIFICATE-----
"""

KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgku4ASBSflYSw16Fs
9fbY6atU83i4O3zkiaGbquoQnsChRANCAAQ6yLdzRLlBnOHtHknBJ5/zOWYPUrjz
I3eNv+hPn90s4i+97cHXmKgI1zIh5dPw+D71h3kiPcUe0ihywjqVbe0Z
-----END PRIVATE KEY-----
"""


def server_context(folder: Path) -> ssl.SSLContext:
    """Make what a server shows the certificate with; it is left in the folder as ``certificate.pem``."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_text(CERTIFICATE, encoding="ascii")
    key.write_text(KEY, encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
