"""Roles whose users the server does not notify."""

from __future__ import annotations

# On the engine, these roles lack the permission NOTIFICATIONS_READ. On Cloud, a user with such a role may have it.
_SILENT = frozenset({"viewer", "none"})


def is_notified(role: object, *, is_cloud: bool) -> bool | None:
    """True if the server notifies a user with this role; None if permissions decide."""
    if not isinstance(role, str) or role not in _SILENT:
        return True
    return None if is_cloud else False


def with_role(name: str, role: object, *, is_cloud: bool) -> str:
    """Return a user's name, with the role if it may prevent notifications."""
    notified = is_notified(role, is_cloud=is_cloud)
    if notified:
        return name
    return f"{name} ({role})" if notified is None else f"{name} ({role}: not notified)"
