"""Guard rail of shift swaps."""

from __future__ import annotations

from oncallctl.api.client import OnCall
from oncallctl.errors import Conflict


def check_parties(oncall: OnCall, *users: str) -> None:
    """Refuse a swap of other people if the profile allows only those of the token's user.

    Args:
        oncall: the server.
        users: the IDs of the beneficiary and of the benefactor, if there is one.

    Raises:
        Conflict: the token's user is neither.
    """
    if oncall.profile.cover_for_others:
        return
    me = oncall.users.current()
    if me.id not in users:
        raise Conflict(
            f"the profile allows only shift swaps of {me.username}",
            hint="cover_for_others = false in the profile forbids swaps between other users",
        )
