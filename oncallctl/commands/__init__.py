"""The commands: a module for each noun, a function for each verb."""

from oncallctl.commands import (
    alert_groups,
    auth,
    escalation_chains,
    integrations,
    maintenance,
    routes,
    sandbox,
    schedules,
    teams,
    users,
)

NOUNS = {
    "integrations": integrations.app,
    "maintenance": maintenance.app,
    "teams": teams.app,
    "users": users.app,
    "alert-groups": alert_groups.app,
    "schedules": schedules.app,
    "routes": routes.app,
    "escalation-chains": escalation_chains.app,
    "auth": auth.app,
    "sandbox": sandbox.app,
}
