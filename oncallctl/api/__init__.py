"""The OnCall API of Cloud and self-hosted servers: requests, responses and errors."""

import sys

# httpx imports its own command line if it can, and with it rich and Pygments: a fifth of a short command's startup.
# None makes that import fail, which httpx expects.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typeshed knows only modules as values
