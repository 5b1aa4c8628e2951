"""Users."""

from __future__ import annotations

from contextlib import suppress

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject
from oncallctl.api.resources.integrations import ROLE_SECONDS
from oncallctl.errors import OncallError


class User(ServerObject):
    """A person; `teams` are ids."""

    username: str
    email: str | None = None
    teams: list[str] | None = None

    @property
    def role(self) -> str | None:
        """The role in the organization: admin, editor, viewer or none; None if the server does not tell."""
        role = self.raw.get("role")
        return role if isinstance(role, str) else None


class Users(Resource[User]):
    """People."""

    noun = nouns.USERS
    model = User
    _own_role: str | None = None
    _role_is_read = False

    def current(self) -> User:
        """Whose token it is."""
        self.oncall.person_only("whoami")
        return self.get("current")

    def own_role(self) -> str | None:
        """Return the role of the token's user, read once; None if the server does not tell."""
        with self._lock:  # one request, however many threads are refused
            if not self._role_is_read:
                with suppress(OncallError):
                    self._own_role = self.oncall.within(ROLE_SECONDS).users.current().role
                self._role_is_read = True
            return self._own_role
