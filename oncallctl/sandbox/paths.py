"""The paths of the API, with what may be done there and by whom."""

from __future__ import annotations

from typing import Final

from oncallctl.sandbox import (
    alert_groups,
    escalation,
    integrations,
    maintenance,
    oncall,
    people,
    routing,
    schedules,
)
from oncallctl.sandbox.calls import Method, Path

ID: Final = "([^/.]+)"

PATHS: Final = (
    Path("info", {"GET": Method(people.info, people_only=True)}, bucket="info"),
    Path(
        "integrations",
        {"GET": Method(integrations.all_integrations), "POST": Method(integrations.create, least="admin")},
    ),
    Path(
        f"integrations/{ID}",
        {
            "GET": Method(integrations.one),
            "PUT": Method(integrations.change, least="admin"),
            "PATCH": Method(integrations.change, least="admin"),
            "DELETE": Method(integrations.delete, least="admin"),
        },
    ),
    Path(
        f"integrations/{ID}/maintenance_start",
        {"POST": Method(maintenance.start, least="admin", crashes_for_service_accounts=True)},
    ),
    Path(
        f"integrations/{ID}/maintenance_stop",
        {"POST": Method(maintenance.stop, least="admin", crashes_for_service_accounts=True)},
    ),
    Path("escalation", {"POST": Method(escalation.page_people, least="editor", people_only=True)}, says_reset=False),
    Path("teams", {"GET": Method(people.all_teams)}),
    Path(f"teams/{ID}", {"GET": Method(people.one_team)}),
    Path(f"teams/{ID}/current_oncall", {"GET": Method(oncall.current)}, cloud_only=True),
    Path(f"teams/{ID}/next_oncall", {"GET": Method(oncall.following)}, cloud_only=True),
    Path(f"teams/{ID}/previous_oncall", {"GET": Method(oncall.previous)}, cloud_only=True),
    Path("users", {"GET": Method(people.all_users)}),
    Path("users/(current)", {"GET": Method(people.one_user, crashes_for_service_accounts=True)}),
    Path(f"users/{ID}", {"GET": Method(people.one_user)}),
    Path("alert_groups", {"GET": Method(alert_groups.all_groups)}),
    Path(f"alert_groups/{ID}", {"GET": Method(alert_groups.one_group)}),
    Path("escalation_chains", {"GET": Method(routing.all_chains)}),
    Path(f"escalation_chains/{ID}", {"GET": Method(routing.one_chain)}),
    Path("escalation_policies", {"GET": Method(routing.all_policies)}),
    Path(f"escalation_policies/{ID}", {"GET": Method(routing.one_policy)}),
    Path("routes", {"GET": Method(routing.all_routes)}),
    Path(f"routes/{ID}", {"GET": Method(routing.one_route)}),
    Path("schedules", {"GET": Method(schedules.all_schedules)}),
    Path(f"schedules/{ID}", {"GET": Method(schedules.one_schedule)}),
    Path(f"schedules/{ID}/final_shifts", {"GET": Method(schedules.final_shifts)}),
)
