"""Paths of the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPLETIONS = ROOT / "completions"
STAND_INS = ROOT / "tests" / "stand_ins"
