"""Programs that system tests need on the machine."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str, package: str) -> str:
    """Return the path of a program, or skip the test and name its Debian package.

    With ONCALLCTL_TEST_NOTHING_SKIPPED=1 the test fails instead, as in CI, where all programs are installed.
    """
    if path := shutil.which(program):
        return path
    reason = f"{program} is not installed (Debian: apt-get install {package})"
    if os.environ.get("ONCALLCTL_TEST_NOTHING_SKIPPED") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
