"""`oncallctl completion names KIND`: print profiles, keys or cached names, one per line.

The completion scripts run it at every TAB that needs names, so it imports neither Typer nor httpx and sends no request.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence

from oncallctl.api.nouns import CACHED
from oncallctl.config.name_cache import ALERT_GROUPS, load
from oncallctl.errors import OncallError

PROFILES = "profiles"
CONFIG_KEYS = "config-keys"


def main(words: Sequence[str]) -> int:
    """Print the names of a kind; print nothing if there are none, or they cannot be read.

    Args:
        words: a kind, and optionally ``--profile NAME``, ``--prefix TEXT`` and ``--describe``.

    Returns:
        The exit status: 0, or 2 for wrong usage.
    """
    parser = ArgumentParser(prog="oncallctl completion names", allow_abbrev=False)
    parser.add_argument("kind", choices=[PROFILES, CONFIG_KEYS, ALERT_GROUPS, *CACHED])
    parser.add_argument("--profile", help="profile of the cached names [default: the profile in use]")
    parser.add_argument("--prefix", default="", help="print only names with this prefix")
    parser.add_argument("--describe", action="store_true", help="add a tab and a description, if there is one")
    given = parser.parse_args(words)
    try:
        names = [name for name in _names(given.kind, given.profile) if name.startswith(given.prefix)]
    except (OncallError, OSError):  # an error message would garble the command line
        return 0
    sys.stdout.write("".join(f"{name if given.describe else name.partition(chr(9))[0]}\n" for name in names))
    return 0


def _names(kind: str, profile: str | None) -> Iterable[str]:
    if kind == PROFILES:
        return _profiles()
    if kind == CONFIG_KEYS:
        return _config_keys()
    return _cached(profile, kind)


def _profiles() -> Iterable[str]:
    from oncallctl.config.config_file import config
    from oncallctl.config.profiles import NAME, SANDBOXES

    return [*SANDBOXES, *(name for name in config().names if NAME.fullmatch(name))]


def _config_keys() -> Iterable[str]:
    from oncallctl.config.config_file import config
    from oncallctl.config.keys import known_keys

    return known_keys(config())


def _cached(profile: str | None, kind: str) -> Iterable[str]:
    import os

    from oncallctl.config.config_file import Config, config_path
    from oncallctl.config.connect import choose_profile

    return load(choose_profile(profile, os.environ, read=Config.unvalidated), config_path().absolute(), kind)
