"""New IDs and tokens in the servers' format."""

from __future__ import annotations

import secrets
import string
from typing import Final

ID_ALPHABET: Final = "ABCDEFGHIJKLMNPQRSTUVWXYZ123456789"
"""Without O and 0."""
TOKEN_ALPHABET: Final = string.ascii_letters + string.digits
TOKEN_LENGTH: Final = 25


def new_id(prefix: str) -> str:
    """Return a new ID: the prefix of its kind and 12 random characters."""
    return prefix + "".join(secrets.choice(ID_ALPHABET) for _ in range(12))


def new_token() -> str:
    """Return the secret part of an integration's link."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _ in range(TOKEN_LENGTH))
