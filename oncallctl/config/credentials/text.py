"""Validation of tokens, and masking of secrets in messages."""

from __future__ import annotations

import re

from oncallctl.errors import NoCredentials

MAX_BYTES = 64 * 1024

_SHORTEST_SECRET = 8  # masking a shorter word would hide half of the message
# A service account token of Grafana, or a token of a self-hosted engine (64 hexadecimal digits).
_LOOKS_LIKE_A_TOKEN = re.compile(r"gl[a-z]+_\S+|[0-9A-Fa-f]{40,}")


def valid_token(text: str, where: str) -> str:
    """Return `text` stripped.

    Args:
        text: the token; it is never quoted.
        where: its source, which begins the error message: "ONCALLCTL_TOKEN", "token file /run/token".

    Raises:
        NoCredentials: it cannot be the value of a header.
    """
    token = text.strip()
    if not token:
        raise NoCredentials(f"{where}: contains no token", hint="put the token on the first line")
    if any(not "!" <= character <= "~" for character in token):
        raise NoCredentials(
            f"{where}: not a token: contains a blank, a control character or a non-ASCII character",
            hint="give the bare token on one line, without a name or 'Bearer' before it",
        )
    return token


def first_line(content: bytes, where: str) -> str:
    """Return the token on the first line, of at most MAX_BYTES. Raise NoCredentials if there is none."""
    line, end, _ = content.partition(b"\n")
    if not end and len(line) >= MAX_BYTES:
        raise NoCredentials(
            f"{where}: the first line is too long for a token", hint="put only the token on the first line"
        )
    # Bytes that are not UTF-8 become replacement characters, which are refused: a UnicodeError would quote the bytes.
    return valid_token(line.decode("utf-8-sig", errors="replace"), where)


def looks_like_a_token(text: str) -> bool:
    """True if a text has the form of a token."""
    return bool(_LOOKS_LIKE_A_TOKEN.fullmatch(text.strip()))


def named(name: str) -> str:
    """Format the name of a file or program for a message; mask it if it is a token, given in the wrong place."""
    return "***" if looks_like_a_token(name) else _printable(name)


def reason(error: BaseException) -> str:
    """Return the first line of the message of an exception."""
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def masked(line: str, *secrets: str) -> str:
    """Format a line for a message: printable, at most 200 characters, without the secrets."""
    for secret in (secret.strip() for secret in secrets):
        if len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "***")
    return _printable(line.strip())[:200]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
