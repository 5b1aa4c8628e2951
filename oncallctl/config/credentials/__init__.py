"""Where a token comes from: a file, a command or the keyring.

A token never gets into a message, a log or a repr. Exceptions of other libraries are quoted as text, never as a cause:
they may carry what was read.
"""

from oncallctl.config.credentials.keyring_entry import delete_keyring, read_keyring, write_keyring
from oncallctl.config.credentials.text import valid_token
from oncallctl.config.credentials.token_command import run_token_command
from oncallctl.config.credentials.token_file import read_token_file

__all__ = [
    "delete_keyring",
    "read_keyring",
    "read_token_file",
    "run_token_command",
    "valid_token",
    "write_keyring",
]
