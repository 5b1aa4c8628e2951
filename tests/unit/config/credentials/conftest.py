"""A token file, for the tests of all token sources."""

from pathlib import Path

import pytest

from tests.unit.config.credentials.refusals import TOKEN


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A valid token file."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    file.chmod(0o600)
    return file
