"""The API's collections, each with what only it can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from oncallctl.api.models import (
    DISABLE,
    OSS_MODES,
    Alert,
    AlertGroup,
    EscalationChain,
    EscalationPolicy,
    FinalShift,
    Integration,
    OnCallDocument,
    OnCallShift,
    ResolutionNote,
    Route,
    Schedule,
    Team,
    User,
    UserGroup,
    Webhook,
)
from oncallctl.api.problems import API
from oncallctl.api.resource import Change, Resource
from oncallctl.errors import NotFound, OncallError, OutcomeUnknown, Unavailable

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall

ROLE_SECONDS = 5.0  # for finding out why something was refused


class Integrations(Resource[Integration]):
    """Sources of alerts, and their maintenance windows."""

    path = "integrations"
    model = Integration

    def create(self, body: dict[str, Any]) -> Change[Integration]:
        """Create one; body as in "Create an integration" of the documents."""
        return Change("POST", "integrations/", self._checked(body), Integration, ("creating integrations", "admin"))

    def update(self, ident: str, body: dict[str, Any]) -> Change[Integration]:
        """Change the fields given; the server treats PUT as PATCH."""
        return Change("PUT", self._member(ident), self._checked(body), Integration, ("updating integrations", "admin"))

    def delete(self, ident: str) -> Change[Integration]:
        """Delete one; its alert groups stay."""
        return Change("DELETE", self._member(ident), None, Integration, ("deleting integrations", "admin"))

    def remove(self, integration: Integration) -> None:
        """Delete one; a lost answer is settled by looking for it.

        Raises:
            OutcomeUnknown: it is still there, or looking failed.
        """
        try:
            self.oncall.discard(self.delete(integration.id))
        except OutcomeUnknown as lost:
            try:
                self.get(integration.id)
            except NotFound:
                return
            except OncallError as error:
                raise OutcomeUnknown(f"{lost.message}; and looking for it failed: {error.message}") from error
            raise

    def start_maintenance(self, ident: str, mode: str, seconds: int | Callable[[], int]) -> Change[Integration]:
        """Open a window.

        Args:
            ident: the integration's id.
            mode: in Cloud's words.
            seconds: positive, for the engine would accept anything (maintenance recordings); or what tells the length
                when it is sent.

        Raises:
            Unsupported: this server does not know the mode.
            AccessDenied: this server answers 500 to such a token.
        """
        self.oncall.person_only("maintenance")
        if mode == DISABLE:
            self.oncall.cloud_only(f"maintenance mode {DISABLE}")
        word = mode if self.oncall.is_cloud else OSS_MODES.get(mode, mode)
        path = f"{self._member(ident)}maintenance_start"
        if isinstance(seconds, int):
            return Change("POST", path, {"mode": word, "duration": seconds}, Integration, ("maintenance", "admin"))
        return Change(
            "POST", path, lambda: {"mode": word, "duration": seconds()}, Integration, ("maintenance", "admin")
        )

    def stop_maintenance(self, ident: str) -> Change[Integration]:
        """End the window. Look first: where none is open an engine with Slack answers 500."""
        self.oncall.person_only("maintenance")
        return Change("POST", f"{self._member(ident)}maintenance_stop", None, Integration, ("maintenance", "admin"))

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        for field in ("labels", "dynamic_labels"):
            if body.get(field):
                self.oncall.cloud_only(field.replace("_", " "))
        return body


class Teams(Resource[Team]):
    """Teams, and on Cloud who is on call for them."""

    path = "teams"
    model = Team

    def on_call(self, ident: str, when: str, **params: str | int) -> tuple[OnCallDocument, dict[str, Any]]:
        """Who is on call for a team; `when` is current, next or previous ("Teams HTTP API").

        Returns:
            The document as a model and whole.

        Raises:
            Unsupported: a self-hosted engine has no such endpoint.
        """
        self.oncall.cloud_only("who is on call, asked of the server")
        document = self.oncall.transport.read(f"{self._member(ident)}{when}_oncall/", params).document
        try:
            return OnCallDocument.model_validate(document), document
        except ValueError as error:
            raise Unavailable(f"the answer of {API}teams/{ident}/{when}_oncall/ is not OnCall's") from error


class Users(Resource[User]):
    """People."""

    path = "users"
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


class AlertGroups(Resource[AlertGroup]):
    """Alert groups; the filter says ``state=new`` where the body says ``firing``."""

    path = "alert_groups"
    model = AlertGroup

    @staticmethod
    def between(begin: datetime, end: datetime) -> str:
        """A range as the filter ``started_at`` takes it: UTC, in whole seconds (alert_groups recordings)."""
        later = end + timedelta(seconds=1)
        return "_".join(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" for moment in (begin, later))

    def act(self, ident: str, verb: str, body: dict[str, Any] | None = None) -> Change[AlertGroup]:
        """Acknowledge, unacknowledge, resolve, unresolve, silence (`delay` in seconds) or unsilence one.

        The answer is empty, so that it is for `OnCall.discard`; in the wrong state it is 400 (alert_groups recordings).
        """
        return Change("POST", f"{self._member(ident)}{verb}/", body, AlertGroup, ("acting on alert groups", "editor"))


class Alerts(Resource[Alert]):
    """Single alerts; there is no reading one by its id (alerts recordings)."""

    path = "alerts"
    model = Alert


class ResolutionNotes(Resource[ResolutionNote]):
    """What people wrote down about alert groups."""

    path = "resolution_notes"
    model = ResolutionNote

    def create(self, alert_group: str, text: str) -> Change[ResolutionNote]:
        """Write a note; the engine refuses a blank one (resolution_notes recordings)."""
        return Change("POST", "resolution_notes/", {"alert_group_id": alert_group, "text": text}, ResolutionNote)


class Schedules(Resource[Schedule]):
    """Schedules, and the shifts they come to."""

    path = "schedules"
    model = Schedule

    def final_shifts(self, ident: str, start: datetime, end: datetime) -> Sequence[FinalShift]:
        """Who is on call between two moments, whole minutes; shifts come clipped to them (schedules recordings).

        Args:
            ident: the schedule's id.
            start: at most 365 days before the end.
            end: not part of the time asked for.

        Returns:
            An entry for each person and shift; the server answers all of them in one page.
        """
        day = {"start_date": start, "end_date": end}
        params = {name: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" for name, moment in day.items()}
        document = self.oncall.transport.read(f"{self._member(ident)}final_shifts", params).document
        problem = f"the answer of {API}schedules/{ident}/final_shifts is not OnCall's"
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise Unavailable(problem)
        try:
            if document.get("next") or document.get("count", 0) > len(document["results"]):  # more than one page
                raise ValueError  # noqa: TRY301  # the answer is not what it is known to be
            return [FinalShift.model_validate(entry) for entry in document["results"]]
        except (TypeError, ValueError) as error:
            raise Unavailable(problem) from error


class OnCallShifts(Resource[OnCallShift]):
    """What schedules are made of: rotations, recurrent and single events, overrides."""

    path = "on_call_shifts"
    model = OnCallShift


class Routes(Resource[Route]):
    """Which alerts of an integration go to which escalation chain."""

    path = "routes"
    model = Route


class EscalationChains(Resource[EscalationChain]):
    """Whom to notify, in which order: chains, whose steps are escalation policies."""

    path = "escalation_chains"
    model = EscalationChain


class EscalationPolicies(Resource[EscalationPolicy]):
    """The steps of escalation chains."""

    path = "escalation_policies"
    model = EscalationPolicy

    def of_chain(self, chain: str) -> Sequence[EscalationPolicy]:
        """The steps of a chain, in order; none where there is no such chain (escalation_policies recordings)."""
        return sorted(self.list(escalation_chain_id=chain), key=lambda step: step.position or 0)


class Webhooks(Resource[Webhook]):
    """Requests that OnCall sends out."""

    path = "webhooks"
    model = Webhook


class UserGroups(Resource[UserGroup]):
    """Slack's groups of people; there is no reading one by its id (user_groups recordings)."""

    path = "user_groups"
    model = UserGroup


class Escalation:
    """Paging people by hand."""

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall

    def page(self, body: dict[str, Any]) -> Change[AlertGroup]:
        """Page a team or users; body as in "Escalation HTTP API"."""
        self.oncall.person_only("paging people")
        return Change("POST", "escalation/", body, AlertGroup, ("paging", "editor"))
