"""Refused tokens, checked for what holds for all of them."""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING

import pytest

from oncallctl.errors import NoCredentials, OncallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "glsa_jXkq7hT0notAtokenOfAnybody_0a1b2c3d"
ORIGIN = "https://oncall.example.org"


def refused(call: Callable[..., object], *arguments: str, kind: type[OncallError] = NoCredentials) -> OncallError:
    """Return the error of a call, after checking the properties of every refusal."""
    with pytest.raises(kind) as caught:
        call(*arguments)
    error = caught.value
    assert error.hint
    assert error.message.isprintable()
    assert error.hint.isprintable()
    assert TOKEN not in "".join(traceback.format_exception(error)) + repr(error) + str(error.document())
    return error


@contextlib.contextmanager
def without_root_rights() -> Iterator[None]:
    """Give up the rights of root, which override permissions."""
    uid = os.geteuid()
    os.seteuid(65534 if uid == 0 else uid)
    try:
        yield
    finally:
        os.seteuid(uid)
