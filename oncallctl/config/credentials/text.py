"""Validation of tokens, and masking of secrets in messages."""

from __future__ import annotations

import re

from oncallctl.errors import NoCredentials

MAX_BYTES = 64 * 1024

_SHORTEST_SECRET = 8  # a shorter text may occur in any message
# A service account token of Grafana, or a token of a self-hosted engine (64 hexadecimal digits).
_LOOKS_LIKE_A_TOKEN = re.compile(r"gl[a-z]+_\S+|[0-9A-Fa-f]{40,}")


def valid_token(text: str, where: str) -> str:
    """Return a token without surrounding spaces, after checking that a header can carry it.

    Args:
        text: the token. Error messages never quote it.
        where: the source of the token, as error messages show it: "ONCALLCTL_TOKEN", "token file /run/token".

    Raises:
        NoCredentials: the text is empty, or has a character that a header cannot carry.
    """
    token = text.strip()
    if not token:
        raise NoCredentials(f"{where}: contains no token", hint="put the token on the first line")
    if any(not "!" <= character <= "~" for character in token):
        raise NoCredentials(
            f"{where}: not a token: contains a space, a control character or a non-ASCII character",
            hint="give the bare token on one line, without a name or 'Bearer' before it",
        )
    return token


def token_on_first_line(content: bytes, where: str) -> str:
    """Return the token on the first line of a file or an output.

    Args:
        content: at most the first MAX_BYTES.
        where: the source of the token, for error messages.

    Raises:
        NoCredentials: the first line is not a token, or is longer than MAX_BYTES.
    """
    line, end, _ = content.partition(b"\n")
    if not end and len(line) >= MAX_BYTES:
        raise NoCredentials(
            f"{where}: the first line is too long for a token", hint="put only the token on the first line"
        )
    # Invalid UTF-8 must not raise UnicodeError here: its message would quote the token. It becomes a replacement
    # character, which `valid_token` refuses.
    return valid_token(line.decode("utf-8-sig", errors="replace"), where)


def looks_like_a_token(text: str) -> bool:
    """True if a text has the form of a token."""
    return bool(_LOOKS_LIKE_A_TOKEN.fullmatch(text.strip()))


def display_name(name: str) -> str:
    """Format the name of a file or program for a message. Mask a token that was given instead of a name."""
    return "***" if looks_like_a_token(name) else _printable(name)


def reason(error: BaseException) -> str:
    """Return the reason for an exception, in one line; for an OSError without the file name."""
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def masked(line: str, *secrets: str) -> str:
    """Format a line for a message: printable, at most 200 characters, without the secrets."""
    for secret in map(str.strip, secrets):
        if len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "***")
    return _printable(line.strip())[:200]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
