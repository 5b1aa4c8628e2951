"""Shift swaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from oncallctl.api import nouns
from oncallctl.api.resources.base import Change, Instant, RequiredRole, Resource, ServerObject

BEGINNING: Final = "2000-01-01T00:00:00Z"
"""A value of ``starting_after`` that hides no swap.

The default is the present: the engine then leaves swaps that have begun out of the list and returns 404 for them.
"""


class ShiftSwap(ServerObject):
    """A shift swap: the benefactor takes over the beneficiary's shifts of a schedule in a time range.

    Attributes:
        status: open, taken, past_due (begun without a benefactor) or deleted.
        schedule: the ID of the schedule.
        beneficiary: the ID of the user who is relieved.
        benefactor: the ID of the user who takes over; None until the swap is taken.
        swap_end: exclusive.
        created_at: swaps of a schedule apply in this order, so a later swap may relieve an earlier benefactor.
    """

    status: str
    schedule: str
    beneficiary: str
    benefactor: str | None = None
    swap_start: Instant
    swap_end: Instant
    description: str | None = None
    created_at: Instant | None = None

    @property
    def is_taken(self) -> bool:
        """True if the benefactor is on call instead of the beneficiary."""
        return self.benefactor is not None


class ShiftSwaps(Resource[ShiftSwap]):
    """Shift swaps, including those that have begun."""

    noun = nouns.SHIFT_SWAPS
    model = ShiftSwap

    def list(self, limit: int | None = None, **filters: str) -> Iterator[ShiftSwap]:
        """Yield swaps by their start.

        The filters are `schedule_id`, `beneficiary`, `benefactor`, `open_only` ("true") and `starting_after`.
        """
        return super().list(limit, **{"starting_after": BEGINNING, **filters})

    def take(self, ident: str, benefactor: str) -> Change[ShiftSwap]:
        """Return the request that makes a user, given by ID, take an open swap.

        The server refuses swaps that have begun or are taken, and the beneficiary (shift_swaps recordings). It does not
        check that the beneficiary is on call in that time.
        """
        path, _, query = self._member(ident).partition("?")
        body = {"benefactor": benefactor}
        required = RequiredRole("taking shift swaps", self.noun.write_role)
        return Change("POST", f"{path}take/?{query}", body, ShiftSwap, required)

    def _member(self, ident: str) -> str:
        return f"{super()._member(ident)}?starting_after={BEGINNING}"
