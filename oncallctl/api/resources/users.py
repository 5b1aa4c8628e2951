"""Users."""

from __future__ import annotations

from contextlib import suppress

from oncallctl.api import nouns
from oncallctl.api.resources.base import OWN, Resource, ServerObject
from oncallctl.errors import OncallError

ROLE_SECONDS = 5.0  # the lookup of the role must not delay the error message for longer


class User(ServerObject):
    """A user; `teams` are IDs."""

    username: str
    email: str | None = None
    teams: list[str] | None = None

    @property
    def role(self) -> str | None:
        """The role in the organization: admin, editor, viewer or none; None if the response has no role."""
        role = self.raw.get("role")
        return role if isinstance(role, str) else None


class Users(Resource[User]):
    """The users of the organization."""

    noun = nouns.USERS
    model = User
    _own_role: str | None = None
    _role_is_read = False

    def current(self) -> User:
        """Fetch the user of the token."""
        self.oncall.require_user_token("whoami")
        return self.get(OWN)

    def own_role(self) -> str | None:
        """Return the role of the token's user, fetched only once; None if it is unknown."""
        with self._lock:  # one request, even if the server refuses the changes of several threads
            if not self._role_is_read:
                with suppress(OncallError):
                    self._own_role = self.oncall.with_deadline(ROLE_SECONDS).users.current().role
                self._role_is_read = True
            return self._own_role
