"""Recipients of a page, and whether the server will notify them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oncallctl.api.client import OnCall
from oncallctl.api.resources.users import User
from oncallctl.rota.roles import is_notified, with_role


@dataclass(frozen=True)
class Recipient:
    """A user that a page notifies, or several users of which it notifies one.

    Attributes:
        ids: the IDs of the users.
        label: the names, the delay, and a mark for users who are not notified.
        is_notified: None if that depends on permissions, or on whose turn it is.
    """

    ids: tuple[str, ...]
    label: str
    is_notified: bool | None


def recipients(oncall: OnCall, users: Sequence[User], when: str = "", *, in_turn: bool = False) -> list[Recipient]:
    """Return the recipients of a step.

    Args:
        oncall: the server.
        users: the users of the step.
        when: the delay of the step; empty if it runs at once.
        in_turn: True if the step notifies only one of the users.
    """
    by_user = [(user, is_notified(user.role, is_cloud=oncall.is_cloud)) for user in users]
    certain = {each for _, each in by_user}
    if in_turn and len(by_user) > 1 and certain != {False}:
        order = sorted(users, key=lambda user: user.username)  # the order of the engine
        names = ", ".join(with_role(user.username, user.role, is_cloud=oncall.is_cloud) for user in order)
        found = True if certain == {True} else None
        return [Recipient(tuple(user.id for user in users), _at(f"one of {names}", when), found)]
    return [
        Recipient(
            (user.id,), _at(with_role(user.username, user.role, is_cloud=oncall.is_cloud), when if each else ""), each
        )
        for user, each in by_user
    ]


def _at(label: str, when: str) -> str:
    return f"{label} ({when})" if when else label


def without_repeats(found: Iterable[Recipient]) -> list[Recipient]:
    """Return the recipients, each only for the first step that notifies them."""
    first: dict[tuple[str, ...], Recipient] = {}
    for recipient in found:
        first.setdefault(recipient.ids, recipient)
    return list(first.values())


def format_recipients(found: Iterable[Recipient]) -> str:
    """Return the labels of recipients as one text."""
    return ", ".join(recipient.label for recipient in found)
