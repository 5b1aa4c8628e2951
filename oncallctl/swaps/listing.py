"""Lists of shift swaps, and swaps that change no shift any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.shift_swaps import BEGINNING, ShiftSwap
from oncallctl.errors import NotFound

# The server filters by the start only. Swaps that last longer than this are rare, and `past` shows them.
LONGEST = timedelta(days=366)
NO_EFFECT = "changes no shift"


@dataclass(frozen=True)
class SwapFilter:
    """Conditions on shift swaps; all must hold.

    Attributes:
        schedule: the ID of a schedule, or None.
        user: the ID of the beneficiary or the benefactor, or None.
        open: True for open requests only.
        past: True to include swaps that have ended.
    """

    schedule: str | None = None
    user: str | None = None
    open: bool = False
    past: bool = False

    def read(self, oncall: OnCall) -> list[ShiftSwap]:
        """Return the matching swaps, by their start."""
        params = {"starting_after": BEGINNING if self.past else f"{oncall.now() - LONGEST:%Y-%m-%dT%H:%M:%SZ}"}
        if self.schedule:
            params["schedule_id"] = self.schedule
        if self.open:
            params["open_only"] = "true"
        users = [{"beneficiary": self.user}, {"benefactor": self.user}] if self.user else [{}]

        def fetch(user: dict[str, str]) -> list[ShiftSwap]:
            return list(oncall.shift_swaps.list(None, **params, **user))

        distinct = {swap.id: swap for found in parallel.in_order(fetch, users) for swap in found}
        at = oncall.now()
        chosen = (
            swap
            for swap in distinct.values()
            if (self.past or swap.swap_end > at) and not (self.open and swap.status != "open")
        )
        return sorted(chosen, key=lambda swap: swap.swap_start)


def without_effect(oncall: OnCall, swaps: Sequence[ShiftSwap]) -> set[str]:
    """Return the IDs of swaps that change no shift, for example because the rota was edited after they were taken.

    Only the response for a single swap has its shifts, so that each swap that has not ended costs a request.
    """
    at = oncall.now()
    current = [swap for swap in swaps if swap.swap_end > at]
    shifts = parallel.in_order(lambda swap: _shifts(oncall, swap), current)
    return {swap.id for swap, changed in zip(current, shifts, strict=True) if changed == []}


def _shifts(oncall: OnCall, swap: ShiftSwap) -> object:
    try:
        return oncall.shift_swaps.get(swap.id).raw.get("shifts")
    except NotFound:  # deleted since
        return None
