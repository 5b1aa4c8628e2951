"""The card of an alert group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.alert_groups.own_groups import with_integration
from oncallctl.alert_groups.payloads import severity
from oncallctl.api import nouns
from oncallctl.escalation import describe
from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups, named
from oncallctl.output.colors import LINK, style_of
from oncallctl.output.columns import Row, field

if TYPE_CHECKING:
    from oncallctl.api.resources.alert_groups import AlertGroup
    from oncallctl.api.resources.resolution_notes import ResolutionNote
    from oncallctl.api.resources.routes import Route

# Where Alertmanager (single and grouped), Grafana, webhooks and pages put these (alerts recordings).
_SUMMARY = (
    *("summary", "annotations.summary", "commonAnnotations.summary", "alerts.0.annotations.summary"),
    *("oncall.message", "annotations.description", "commonAnnotations.description", "message"),
)
_LINKS = {
    "Runbook": (
        *("runbook_url", "annotations.runbook_url", "commonAnnotations.runbook_url"),
        "alerts.0.annotations.runbook_url",
    ),
    "Dashboard": (
        *("dashboard_url", "dashboardURL", "annotations.dashboard_url", "commonAnnotations.dashboard_url"),
        *("alerts.0.dashboardURL", "alerts.0.annotations.dashboard_url"),
    ),
    "Panel": ("panelURL", "alerts.0.panelURL"),
    "Source": ("link_to_upstream_details", "generatorURL", "alerts.0.generatorURL", "oncall.permalink"),
}
_STATES = {  # state -> the field with its beginning, and the one with the user
    "acknowledged": ("acknowledged_at", "acknowledged_by"),
    "resolved": ("resolved_at", "resolved_by"),
    "silenced": ("silenced_at", None),
    "firing": ("created_at", None),
}


def card(lookups: Lookups, row: Row, found: AlertGroup) -> Card:
    """Return the card of an alert group."""
    route = lookups.begin("the route", lambda: _route(lookups, found))
    notes = lookups.begin("resolution notes", lambda: _notes(lookups, found.id))
    row = with_integration(row)
    made = Card(str(found.title or found.id), state=found.state)
    made.add("ID", found.id)
    written = notes() or []
    people = lookups.names({nouns.USERS: _people(row, written)})
    made.add("State", _state(lookups, row, found.state, people), style_of(found.state))
    if found.state != "firing":
        made.add("Started", lookups.moment(row.get("created_at")))
    made.add("Alerts", _alerts(lookups, row))
    payload = field(row, "last_alert.payload")
    found_severity = severity(found.raw)
    made.add("Severity", found_severity, style_of(found_severity or ""))
    made.add("Summary", _first(payload, _SUMMARY))
    made.add("Integration", named(row.get("integration")))
    made.add("Route", _path(lookups, route()))
    made.add("Team", named(row.get("team")))
    made.add("Labels", labels(row.get("labels")))
    links = made.section("Links")
    for name, paths in _LINKS.items():
        links.add(name, _first(payload, paths), LINK)
    permalinks = row.get("permalinks")
    for name, url in permalinks.items() if isinstance(permalinks, dict) else ():
        links.add(name.replace("_", " ").capitalize(), url, LINK)
    section = made.section("Notes")
    for note in written:
        who = people.get(note.author or "", note.author or "")
        section.add(who or "(unknown)", f"{note.text or ''}\n{lookups.moment(note.raw.get('created_at'))}")
    return made


def labels(value: object) -> str:
    """Return the labels of an object as "env=prod, team=platform"."""
    pairs = value if isinstance(value, list) else []
    return ", ".join(f"{field(each, 'key.name')}={field(each, 'value.name')}" for each in pairs)


def _state(lookups: Lookups, row: Row, state: str, people: dict[str, str]) -> str:
    since, by = _STATES.get(state, (None, None))
    user = row.get(by) if by else None
    who = f" by {people.get(user, user)}" if isinstance(user, str) else ""
    time = row.get(since) if since else None
    return f"{state}{who} since {lookups.since(time)}" if time else f"{state}{who}"


def _alerts(lookups: Lookups, row: Row) -> str:
    last = lookups.moment(field(row, "last_alert.created_at"))
    count = row.get("alerts_count")
    return ", ".join(part for part in ("" if count is None else str(count), f"the last {last}" if last else "") if part)


def _people(row: Row, notes: list[ResolutionNote]) -> list[str]:
    idents: list[Any] = [row.get("acknowledged_by"), row.get("resolved_by"), *(note.author for note in notes)]
    return [each for each in idents if isinstance(each, str)]


def _route(lookups: Lookups, group: AlertGroup) -> Route | None:
    return lookups.oncall.routes.get(group.route_id) if group.route_id else None


def _notes(lookups: Lookups, group: str) -> list[ResolutionNote]:
    return list(lookups.oncall.resolution_notes.list(alert_group_id=group))


def _path(lookups: Lookups, route: Route | None) -> str:
    """Return "condition → chain" of the route that the alert group took."""
    if route is None:
        return ""
    chain = route.escalation_chain_id
    if not chain:
        return f"{describe.condition(route)} → no escalation chain"
    name = lookups.names({nouns.ESCALATION_CHAINS: [chain]}).get(chain, chain)
    return f"{describe.condition(route)} → {name}"


def _first(payload: object, paths: tuple[str, ...]) -> str | None:
    """Return the first text at one of the paths of an alert's payload, or None."""
    if not isinstance(payload, dict):
        return None
    found = (field(payload, path) for path in paths)
    return next((each for each in found if isinstance(each, str) and each), None)
