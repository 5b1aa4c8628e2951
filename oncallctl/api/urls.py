"""Server URLs: normalization, and detection of loopback hosts."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from oncallctl.errors import InvalidInput


def normalized_host(scheme: str, netloc: str) -> str:
    """Normalize host and port (RFC 3986, 6.2.3): lower case, without a default port and a trailing dot.

    Raises:
        ValueError: the text is not a host, with an optional port.
    """
    parts = urlsplit(f"//{netloc}")
    name, port = (parts.hostname or "").removesuffix("."), parts.port
    name = f"[{name}]" if ":" in name else name
    return name if port in {None, {"http": 80, "https": 443}.get(scheme)} else f"{name}:{port}"


def is_loopback(host: str) -> bool:
    """True if the host of a URL is this machine, by name or by an address in any notation."""
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        import socket

        try:
            address = ip_address(socket.inet_aton(host))  # 127.1 and 0x7f000001, which resolvers accept too
        except (OSError, UnicodeError):
            return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified  # 0.0.0.0 and :: connect to this machine


def base_url(url: str, *, allow_http: bool = False) -> str:
    """Normalize an OnCall URL, with or without ``/api/v1`` and trailing slashes.

    Raises:
        InvalidInput: the text is not an http(s) URL; it has a user, a query or a fragment; or the token would cross a
            network unencrypted.
    """
    hint = "copy the URL from OnCall's settings page, such as https://oncall-prod-eu-west-0.grafana.net/oncall"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises ValueError if it is not a port number
        (parts.hostname or "").encode("idna")  # rejects an empty or overlong label
    except ValueError as error:
        raise InvalidInput(f"not a URL: {url!r}", hint=hint) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"not an http or https URL: {url!r}", hint=hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(
            f"the URL must not contain a user, query or fragment: {parts.scheme}://{parts.hostname}/…", hint=hint
        )
    if not re.fullmatch(r"[\x21-\x7e]+", url.strip()):
        raise InvalidInput(f"the URL contains characters other than printable ASCII: {url!r}", hint=hint)
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_http:
        raise InvalidInput(
            f"refusing to send the token over unencrypted HTTP: {parts.scheme}://{parts.hostname}",
            hint="use https, or set allow_http = true in the profile in config.toml",
        )
    path = re.sub(r"/+(?:api(?:/+v1)?)?/*$", "", parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


def stack_url(url: str) -> str:
    """Validate the URL of a Grafana stack. It is sent in a header and never requested, so plain http is allowed.

    Raises:
        InvalidInput: the text is not a URL.
    """
    base_url(url, allow_http=True)
    return url.strip()
