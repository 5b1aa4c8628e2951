"""The paths of the API, with what may be done there and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import (
    alert_group_actions,
    alert_groups,
    alerts,
    escalation,
    escalation_chains,
    escalation_policies,
    final_shifts,
    integrations,
    maintenance,
    on_call_shifts,
    oncall,
    people,
    resolution_notes,
    routes,
    schedules,
)
from oncallctl.sandbox.calls import Method, Path

if TYPE_CHECKING:
    from collections.abc import Callable

    from oncallctl.sandbox.answers import Answer
    from oncallctl.sandbox.calls import Call

    Handler = Callable[[Call], Answer]

ID: Final = "([^/.]+)"


def _collection(  # noqa: PLR0913 - a collection has six methods and a role
    name: str,
    *,
    many: Handler,
    one: Handler,
    create: Handler,
    change: Handler,
    delete: Handler,
    least: str,
) -> tuple[Path, Path]:
    """Declare a collection that can be read by all and changed from a role on; PUT does no more than PATCH."""
    return (
        Path(name, {"GET": Method(many), "POST": Method(create, least=least)}),
        Path(
            f"{name}/{ID}",
            {
                "GET": Method(one),
                "PUT": Method(change, least=least),
                "PATCH": Method(change, least=least),
                "DELETE": Method(delete, least=least),
            },
        ),
    )


PATHS: Final = (
    Path("info", {"GET": Method(people.info, service_accounts="refused by OSS")}, bucket="info"),
    *_collection(
        "integrations",
        many=integrations.all_integrations,
        one=integrations.one,
        create=integrations.create,
        change=integrations.change,
        delete=integrations.delete,
        least="admin",
    ),
    Path(
        f"integrations/{ID}/maintenance_start",
        {"POST": Method(maintenance.start, least="admin", service_accounts="crash OSS")},
    ),
    Path(
        f"integrations/{ID}/maintenance_stop",
        {"POST": Method(maintenance.stop, least="admin", service_accounts="crash OSS")},
    ),
    Path(
        "escalation",
        {"POST": Method(escalation.page_people, least="editor", service_accounts="refused")},
        says_reset=False,
    ),
    Path("teams", {"GET": Method(people.all_teams)}),
    Path(f"teams/{ID}", {"GET": Method(people.one_team)}),
    Path(f"teams/{ID}/current_oncall", {"GET": Method(oncall.current)}, cloud_only=True),
    Path(f"teams/{ID}/next_oncall", {"GET": Method(oncall.following)}, cloud_only=True),
    Path(f"teams/{ID}/previous_oncall", {"GET": Method(oncall.previous)}, cloud_only=True),
    Path("users", {"GET": Method(people.all_users)}),
    Path("users/(current)", {"GET": Method(people.one_user, service_accounts="crash OSS")}),
    Path(f"users/{ID}", {"GET": Method(people.one_user)}),
    Path("alert_groups", {"GET": Method(alert_groups.all_groups)}),
    Path(
        f"alert_groups/{ID}",
        {"GET": Method(alert_groups.one_group), "DELETE": Method(alert_group_actions.delete, least="editor")},
    ),
    *(
        Path(f"alert_groups/{ID}/{action.__name__}", {"POST": Method(action, least="editor")})
        for action in (
            alert_group_actions.acknowledge,
            alert_group_actions.unacknowledge,
            alert_group_actions.resolve,
            alert_group_actions.unresolve,
            alert_group_actions.silence,
            alert_group_actions.unsilence,
        )
    ),
    Path("alerts", {"GET": Method(alerts.all_alerts)}),
    *_collection(
        "resolution_notes",
        many=resolution_notes.all_notes,
        one=resolution_notes.one_note,
        create=resolution_notes.create,
        change=resolution_notes.change,
        delete=resolution_notes.delete,
        least="editor",
    ),
    *_collection(
        "on_call_shifts",
        many=on_call_shifts.all_shifts,
        one=on_call_shifts.one_shift,
        create=on_call_shifts.create,
        change=on_call_shifts.change,
        delete=on_call_shifts.delete,
        least="editor",
    ),
    *_collection(
        "escalation_chains",
        many=escalation_chains.all_chains,
        one=escalation_chains.one_chain,
        create=escalation_chains.create,
        change=escalation_chains.change,
        delete=escalation_chains.delete,
        least="admin",
    ),
    *_collection(
        "escalation_policies",
        many=escalation_policies.all_policies,
        one=escalation_policies.one_policy,
        create=escalation_policies.create,
        change=escalation_policies.change,
        delete=escalation_policies.delete,
        least="admin",
    ),
    *_collection(
        "routes",
        many=routes.all_routes,
        one=routes.one_route,
        create=routes.create,
        change=routes.change,
        delete=routes.delete,
        least="admin",
    ),
    *_collection(
        "schedules",
        many=schedules.all_schedules,
        one=schedules.one_schedule,
        create=schedules.create,
        change=schedules.change,
        delete=schedules.delete,
        least="editor",
    ),
    Path(f"schedules/{ID}/final_shifts", {"GET": Method(final_shifts.final_shifts)}),
)
