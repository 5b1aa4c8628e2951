"""Guard rails: the maintenance windows that a profile allows."""

from __future__ import annotations

from oncallctl.config.profiles import Profile
from oncallctl.errors import InvalidInput
from oncallctl.times import parse_duration, show_duration

LONGEST = "7d"


def check_window(
    profile: Profile, *, mode: str, seconds: float, reason: str | None, longest: str | None = None
) -> None:
    """Refuse a window that the profile does not allow.

    Args:
        profile: the profile with the guard rails.
        mode: in Cloud's words.
        seconds: the length of the window.
        reason: the reason given for it, or None.
        longest: --max, which overrides the default limit but not the one of the profile.

    Raises:
        InvalidInput: too long, without a reason, or in a mode that is not allowed.
    """
    limits = [limit for limit in (longest, profile.longest_window) if limit] or [LONGEST]
    most = min(parse_duration(limit).total_seconds() for limit in limits)
    if seconds > most:
        hint = "longest_window in the profile limits it" if profile.longest_window else "allow it with --max"
        raise InvalidInput(
            f"a window of {show_duration(seconds)} is longer than the {show_duration(most)} that are allowed", hint=hint
        )
    if profile.reason_required and not (reason and reason.strip()):
        raise InvalidInput("the profile requires a reason for every window", hint="add --reason TEXT")
    if profile.modes_allowed is not None and mode not in profile.modes_allowed:
        allowed = ", ".join(profile.modes_allowed) or "none"
        raise InvalidInput(f"the profile does not allow {mode}", hint=f"allowed: {allowed}")


def check_targets(profile: Profile, count: int) -> None:
    """Refuse more targets than the profile allows.

    Raises:
        InvalidInput: too many.
    """
    if profile.most_targets is not None and count > profile.most_targets:
        raise InvalidInput(
            f"{count} integrations are more than the {profile.most_targets} that the profile allows", hint="name fewer"
        )
