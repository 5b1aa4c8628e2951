"""The paths of the API, with their endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from oncallctl.sandbox.requests import ApiPath, Endpoint
from oncallctl.sandbox.resources.alert_group_actions import ACTIONS, delete_group
from oncallctl.sandbox.resources.alert_groups import ALERT_GROUPS
from oncallctl.sandbox.resources.alerts import ALERTS
from oncallctl.sandbox.resources.direct_paging import page
from oncallctl.sandbox.resources.escalation_chains import ESCALATION_CHAINS
from oncallctl.sandbox.resources.escalation_policies import ESCALATION_POLICIES
from oncallctl.sandbox.resources.integrations import INTEGRATIONS
from oncallctl.sandbox.resources.maintenance import start_maintenance, stop_maintenance
from oncallctl.sandbox.resources.on_call_shifts import ON_CALL_SHIFTS
from oncallctl.sandbox.resources.organizations import get_info, get_organization, list_organizations
from oncallctl.sandbox.resources.personal_notification_rules import PERSONAL_NOTIFICATION_RULES
from oncallctl.sandbox.resources.resolution_notes import RESOLUTION_NOTES
from oncallctl.sandbox.resources.routes import ROUTES
from oncallctl.sandbox.resources.schedules import SCHEDULES, get_final_shifts
from oncallctl.sandbox.resources.shift_swaps import SHIFT_SWAPS, take_swap
from oncallctl.sandbox.resources.slack import SLACK_CHANNELS, USER_GROUPS
from oncallctl.sandbox.resources.team_on_call import current_on_call, next_on_call, previous_on_call
from oncallctl.sandbox.resources.teams import TEAMS
from oncallctl.sandbox.resources.users import USERS, get_current_user
from oncallctl.sandbox.resources.webhooks import WEBHOOKS
from oncallctl.sandbox.served_collection import ID_PATTERN

COLLECTIONS: Final = (
    INTEGRATIONS,
    TEAMS,
    USERS,
    replace(ALERT_GROUPS, member_methods={"DELETE": Endpoint(delete_group, role="editor")}),
    ALERTS,
    RESOLUTION_NOTES,
    SCHEDULES,
    ON_CALL_SHIFTS,
    SHIFT_SWAPS,
    ESCALATION_CHAINS,
    ESCALATION_POLICIES,
    ROUTES,
    WEBHOOKS,
    PERSONAL_NOTIFICATION_RULES,
    SLACK_CHANNELS,
    USER_GROUPS,
)


def _team_path(name: str, endpoint: Endpoint) -> ApiPath:
    return ApiPath(f"teams/{ID_PATTERN}/{name}", {"GET": endpoint}, cloud_only=True)


# The first match wins: `users/current` comes before the IDs of users.
PATHS: Final = (
    ApiPath("info", {"GET": Endpoint(get_info, service_accounts="refused by OSS")}, bucket="info"),
    ApiPath(
        "escalation",
        {"POST": Endpoint(page, role="editor", service_accounts="refused")},
        sends_reset=False,
    ),
    ApiPath("users/current", {"GET": Endpoint(get_current_user, service_accounts="crash OSS")}),
    *(path for collection in COLLECTIONS for path in collection.paths()),
    *(
        ApiPath(
            f"integrations/{ID_PATTERN}/{name}",
            {"POST": Endpoint(handler, role="admin", service_accounts="crash OSS")},
        )
        for name, handler in (("maintenance_start", start_maintenance), ("maintenance_stop", stop_maintenance))
    ),
    *(
        ApiPath(f"alert_groups/{ID_PATTERN}/{action.__name__}", {"POST": Endpoint(action, role="editor")})
        for action in ACTIONS
    ),
    ApiPath(f"shift_swaps/{ID_PATTERN}/take", {"POST": Endpoint(take_swap, role="editor")}),
    ApiPath(f"schedules/{ID_PATTERN}/final_shifts", {"GET": Endpoint(get_final_shifts)}),
    _team_path("current_oncall", Endpoint(current_on_call)),
    _team_path("next_oncall", Endpoint(next_on_call)),
    _team_path("previous_oncall", Endpoint(previous_on_call)),
    ApiPath("organizations", {"GET": Endpoint(list_organizations)}),
    ApiPath(f"organizations/{ID_PATTERN}", {"GET": Endpoint(get_organization)}),
)
