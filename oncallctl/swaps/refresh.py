"""Final shifts after a swap: a background task refreshes them within a minute or two."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.errors import ConditionFailed, OncallError
from oncallctl.rota import shifts
from oncallctl.rota.shifts import Rota
from oncallctl.swaps.plan import Cover, CoverStep
from oncallctl.times import Span, show_duration

PAUSE = 5.0  # seconds between two checks
LONGEST = timedelta(minutes=5)


@dataclass(frozen=True)
class Accepted:
    """A swap that the server accepted, with its plan."""

    step: CoverStep
    swap: ShiftSwap

    def is_shown(self, cover: Cover, rota: Rota | None) -> bool:
        """True if the final shifts have the benefactor instead of the user wherever the user was on call."""
        span = Span(self.swap.swap_start, self.swap.swap_end)
        parts = [each.within(span) for each in self.step.spans if each.touches(span)]
        on_call = [(shift, part) for shift in rota.shifts for part in parts if shift.span.touches(part)] if rota else []
        relieved = not any(cover.user.id in shift.users for shift, _ in on_call)
        return relieved and all(
            any(part is each and self.swap.benefactor in shift.users for shift, part in on_call) for each in parts
        )


def stale(oncall: OnCall, cover: Cover, accepted: Sequence[Accepted]) -> list[Accepted]:
    """Return the swaps that the final shifts do not show yet."""
    rotas = shifts.read_several(oncall, [each.swap.schedule for each in accepted], cover.span)
    return [each for each in accepted if not each.is_shown(cover, rotas.get(each.swap.schedule))]


def wait(oncall: OnCall, cover: Cover, accepted: Sequence[Accepted]) -> None:
    """Wait until the final shifts show all swaps. A check that fails is repeated.

    Raises:
        ConditionFailed: they do not show them within a few minutes.
    """
    end = time.monotonic() + LONGEST.total_seconds()
    while True:
        problem = ""
        try:
            accepted = stale(oncall, cover, accepted)
        except OncallError as error:
            problem = f"; the last check failed: {error.message}"
        if not accepted:
            return
        if time.monotonic() >= end:
            names = ", ".join(repr(each.step.target.found.name) for each in accepted)
            raise ConditionFailed(
                f"the swaps were accepted, but the final shifts of {names} did not show them within"
                f" {show_duration(LONGEST.total_seconds())}{problem}",
                hint=command_line(oncall, ["users", "shifts", cover.user.id]),
            )
        time.sleep(PAUSE)
