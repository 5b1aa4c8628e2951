"""`oncallctl completion names KIND`: print profiles or cached names, one per line.

The completion scripts run it at every TAB that needs names, so it imports neither Typer nor httpx and sends no request.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence

from oncallctl.api.nouns import CACHED
from oncallctl.config.name_cache import load
from oncallctl.errors import OncallError

PROFILES = "profiles"


def main(words: Sequence[str]) -> int:
    """Print the names of a kind; print nothing if there are none, or none can be read.

    Args:
        words: a kind, and optionally ``--profile NAME`` and ``--prefix TEXT``.

    Returns:
        The exit status: 0, or 2 for wrong usage.
    """
    parser = ArgumentParser(prog="oncallctl completion names", allow_abbrev=False)
    parser.add_argument("kind", choices=[PROFILES, *CACHED])
    parser.add_argument("--profile", help="whose cached names; the default is the profile that a command would use")
    parser.add_argument("--prefix", default="", help="print only names that begin with this")
    given = parser.parse_args(words)
    try:
        names = _profiles() if given.kind == PROFILES else _cached(given.profile, given.kind)
    except (OncallError, OSError):  # a shell has no place for an error message while a word is completed
        return 0
    sys.stdout.write("".join(f"{name}\n" for name in names if name.startswith(given.prefix)))
    return 0


def _profiles() -> Iterable[str]:
    from oncallctl.config.config_file import config
    from oncallctl.config.profiles import NAME, SANDBOXES

    return [*SANDBOXES, *(name for name in config().names if NAME.fullmatch(name))]


def _cached(profile: str | None, kind: str) -> Iterable[str]:
    import os

    from oncallctl.config.config_file import Config, config_path
    from oncallctl.config.connect import choose_profile

    return load(choose_profile(profile, os.environ, read=Config.unvalidated), config_path().absolute(), kind)
