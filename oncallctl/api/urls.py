"""URLs of servers: one form for each server, and which hosts are this machine."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from oncallctl.errors import InvalidInput


def _host(scheme: str, netloc: str) -> str:
    """Spell host and port as RFC 3986 (6.2.3) and DNS compare them: lower case, no default port, no trailing dot.

    Raises:
        ValueError: this is not a host.
    """
    parts = urlsplit(f"//{netloc}")
    name, port = (parts.hostname or "").removesuffix("."), parts.port
    name = f"[{name}]" if ":" in name else name
    return name if port in {None, {"http": 80, "https": 443}.get(scheme)} else f"{name}:{port}"


def is_loopback(host: str) -> bool:
    """True if a host, as it stands in a URL, is this machine: a name of it, or an address in any spelling."""
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        try:
            address = ip_address(socket.inet_aton(host))  # 127.1 and 0x7f000001, which resolvers take as well
        except (OSError, UnicodeError):
            return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified  # 0.0.0.0 and :: connect to this machine


def base_url(url: str, *, allow_http: bool = False) -> str:
    """Bring an OnCall URL, with or without ``/api/v1`` and slashes at its end, into one form.

    Raises:
        InvalidInput: it is no http(s) URL, carries a user, a query or a fragment, or would send the token in clear
            over a network.
    """
    hint = "it is the one on OnCall's settings page, such as https://oncall-prod-eu-west-0.grafana.net/oncall"
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
        (parts.hostname or "").encode("idna")  # a label that is empty or too long
    except ValueError as error:
        raise InvalidInput(f"not a URL: {url!r}", hint=hint) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInput(f"not an http or https URL: {url!r}", hint=hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(f"a URL with more than host and path: {parts.scheme}://{parts.hostname}/…", hint=hint)
    if not re.fullmatch(r"[\x21-\x7e]+", url.strip()):
        raise InvalidInput(f"a URL with characters that are not ASCII: {url!r}", hint=hint)
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_http:
        raise InvalidInput(
            f"the token would cross the network in clear: {parts.scheme}://{parts.hostname}",
            hint="use https, or write a profile with allow_http = true into config.toml by hand",
        )
    path = re.sub(r"/+(?:api(?:/+v1)?)?/*$", "", parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


def stack_url(url: str) -> str:
    """Check the URL of a Grafana stack, which goes into a header; it may be a plain http one, as it is only a name.

    Raises:
        InvalidInput: it is no URL.
    """
    base_url(url, allow_http=True)
    return url.strip()
