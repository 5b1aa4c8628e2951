"""What a token is, and what of other texts may be quoted in a message."""

from __future__ import annotations

import re

from oncallctl.errors import NoCredentials

MAX_BYTES = 64 * 1024

_SHORTEST_SECRET = 8  # a shorter word would mask half of the sentence that it is quoted in
# A service account's token of Grafana, or one of OnCall OSS (64 hexadecimal digits).
_LOOKS_LIKE_A_TOKEN = re.compile(r"gl[a-z]+_\S+|[0-9A-Fa-f]{40,}")


def valid_token(text: str, where: str) -> str:
    """Return `text` stripped, or raise NoCredentials when it cannot be the value of a header.

    Args:
        text: what was found; it is never quoted.
        where: what it was found in, as the message begins: "ONCALLCTL_TOKEN", "token file /run/token".
    """
    token = text.strip()
    if not token:
        raise NoCredentials(f"{where}: there is no token in it", hint="the token belongs on the first line")
    if any(not "!" <= character <= "~" for character in token):
        raise NoCredentials(
            f"{where}: not a token, it holds a blank, a control character or something outside ASCII",
            hint="give the bare token on one line, without a name or 'Bearer' before it",
        )
    return token


def first_line(content: bytes, where: str) -> str:
    """Return the token on the first line of at most MAX_BYTES, or raise NoCredentials."""
    line, end, _ = content.partition(b"\n")
    if not end and len(line) >= MAX_BYTES:
        raise NoCredentials(
            f"{where}: the first line is too long for a token", hint="the token belongs on the first line, alone"
        )
    # What is no text gets a replacement character, which is refused; the exception would carry the bytes.
    return valid_token(line.decode("utf-8-sig", errors="replace"), where)


def named(name: str) -> str:
    """Return the name of a file or a program for a message, unless somebody gave the token in its place."""
    return "***" if _LOOKS_LIKE_A_TOKEN.fullmatch(name) else _printable(name)


def reason(error: BaseException) -> str:
    """Return the first line of what an exception says."""
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0] if lines else "no reason given"


def masked(line: str, *secrets: str) -> str:
    """Return a line for a message: printable, at most 200 characters, without the secrets."""
    for secret in (secret.strip() for secret in secrets):
        if len(secret) >= _SHORTEST_SECRET:
            line = line.replace(secret, "***")
    return _printable(line.strip())[:200]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
