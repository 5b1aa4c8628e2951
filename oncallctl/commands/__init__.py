"""The commands: a module for each noun, a function for each verb."""

from oncallctl.commands import alert_groups, auth, integrations, maintenance, sandbox, teams, users

NOUNS = {
    "integrations": integrations.app,
    "maintenance": maintenance.app,
    "teams": teams.app,
    "users": users.app,
    "alert-groups": alert_groups.app,
    "auth": auth.app,
    "sandbox": sandbox.app,
}
