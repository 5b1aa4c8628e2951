"""Access the keyring in a separate process: `ask.py read|write|delete PROFILE ORIGIN`, with the token on stdin.

Print {"answer": …} or {"error": …}, the JSON document of an OncallError.
"""

from __future__ import annotations

import json
import sys

from oncallctl.config.credentials import delete_keyring, read_keyring, write_keyring
from oncallctl.errors import OncallError

verb, profile, origin = sys.argv[1:]
document: dict[str, object]
try:
    if verb == "read":
        document = {"answer": read_keyring(profile, origin)}
    elif verb == "delete":
        document = {"answer": delete_keyring(profile, origin)}
    else:
        write_keyring(profile, origin, sys.stdin.read())
        document = {"answer": None}
except OncallError as error:
    document = {"error": error.document()}
json.dump(document, sys.stdout)
