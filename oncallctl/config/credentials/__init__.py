"""Token sources: a file, a command or the keyring.

A token never appears in a message, a log or a repr. Exceptions of other libraries are quoted as text and never chained,
because they may contain the token.
"""

from oncallctl.config.credentials.keyring_entry import check_keyring, delete_keyring, read_keyring, write_keyring
from oncallctl.config.credentials.text import valid_token
from oncallctl.config.credentials.token_command import run_token_command
from oncallctl.config.credentials.token_file import read_token_file, write_token_file

__all__ = [
    "check_keyring",
    "delete_keyring",
    "read_keyring",
    "read_token_file",
    "run_token_command",
    "valid_token",
    "write_keyring",
    "write_token_file",
]
