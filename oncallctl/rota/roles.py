"""Roles whose users the server does not notify."""

from __future__ import annotations

# They lack the engine's permission NOTIFICATIONS_READ. On Cloud, permissions decide, and the role is only a hint.
_SILENT = frozenset({"viewer", "none"})


def is_notified(role: object, *, is_cloud: bool) -> bool | None:
    """Return whether the server notifies a user with this role; None if permissions decide."""
    if not isinstance(role, str) or role not in _SILENT:
        return True
    return None if is_cloud else False


def with_role(name: str, role: object, *, is_cloud: bool) -> str:
    """Return a user's name, with the role if it may keep them from being notified."""
    certain = is_notified(role, is_cloud=is_cloud)
    if certain:
        return name
    return f"{name} ({role})" if certain is None else f"{name} ({role}: not notified)"
