"""Keyring backend in memory, for PYTHON_KEYRING_BACKEND."""

from keyring.backend import KeyringBackend

ENTRIES: dict[tuple[str, str], str] = {}


class Memory(KeyringBackend):
    """Keeps tokens until the process ends."""

    priority = 0.5  # type: ignore[assignment]  # found only by its name

    def get_password(self, service: str, username: str) -> str | None:
        return ENTRIES.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        ENTRIES[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del ENTRIES[service, username]
