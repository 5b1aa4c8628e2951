"""The OnCall API in both variants: requests, responses, and what they mean."""

import sys

# httpx imports its own command line if it can, and with it rich and Pygments: a fifth of the start of a short command.
# None makes that import fail, which httpx expects.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
