"""Shift swaps."""

from __future__ import annotations

from oncallctl.api.nouns import SHIFT_SWAPS
from oncallctl.commands import generic

app = generic.app_of(SHIFT_SWAPS)
