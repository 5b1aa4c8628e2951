"""The kinds of objects that the API serves, each declared once.

A declaration determines the collection of `OnCall`, lookup by name, the commands `list`, `get`, `create`, `update` and
`delete` with their place in the command tree, and the names that TAB offers. The fault tests iterate over all of them.

A new kind needs a constant here and an entry in `NOUNS`. It needs a module in ``api/resources`` (named like its path)
only for typed fields or methods of its own, and a module in ``commands`` only for further verbs.

This module imports nothing heavy, because every start of the program loads it.
"""

from __future__ import annotations

from oncallctl.api.noun import ALL_WRITES, Link, ListFilter, Noun

TEAMS = Noun(
    name="teams",
    summary="Teams, and who is on call for them.",
    metavar="TEAM",
    columns={"ID": "id", "NAME": "name", "EMAIL": "email"},
    cached=True,
    sample="platform",
    typed=True,
)

_TEAM = Link("team_id", "team", TEAMS)

USERS = Noun(
    name="users",
    summary="The users of the organization.",
    metavar="USER",
    columns={
        "ID": "id",
        "USER": "username",
        "EMAIL": "email",
        "ROLE": "role",
        "TIMEZONE": "timezone",
        "TEAMS": "team_names",
    },
    title="username",
    more_names=("email",),
    links=(Link("teams", "team_names", TEAMS),),
    cached=True,
    sample="alice",
    typed=True,
)

INTEGRATIONS = Noun(
    name="integrations",
    summary="Integrations: the sources of alerts.",
    metavar="INTEGRATION",
    columns={
        "ID": "id",
        "NAME": "name",
        "TYPE": "type",
        "TEAM": "team.name",
        "MAINTENANCE": "maintenance_mode",
        "UNTIL": "maintenance_end_at",
    },
    links=(_TEAM,),
    team_field="team_id",
    has_name_filter=True,
    writes=ALL_WRITES,
    note_on_delete="their alert groups stay",
    read_in_full=False,
    cached=True,
    has_secrets=True,
    sample="checkout",
    typed=True,
)

ESCALATION_CHAINS = Noun(
    name="escalation-chains",
    summary="Escalation chains: whom to notify, and in which order.",
    metavar="CHAIN",
    columns={"ID": "id", "NAME": "name", "TEAM": "team.name"},
    links=(_TEAM,),
    team_field="team_id",
    writes=ALL_WRITES,
    note_on_delete="their steps are deleted too, and routes that use them notify nobody",
    cached=True,
    sample="platform-default",
    sample_create='{"name": "nights"}',
    sample_update='{"name": "platform-days"}',
    typed=True,
)

SCHEDULES = Noun(
    name="schedules",
    summary="Schedules: who is on call, and when.",
    metavar="SCHEDULE",
    columns={
        "ID": "id",
        "NAME": "name",
        "TEAM": "team.name",
        "TYPE": "type",
        "TIMEZONE": "time_zone",
        "ON CALL NOW": "on_call_names",
    },
    links=(_TEAM, Link("on_call_now", "on_call_names", USERS)),
    team_field="team_id",
    cached=True,
    sample="platform-primary",
    typed=True,
)

ALERT_GROUPS = Noun(
    name="alert-groups",
    summary="Alert groups: list them, and respond to them.",
    columns={
        "ID": "id",
        "STATE": "state",
        "SEVERITY": "severity",
        "TITLE": "title",
        "ALERTS": "alerts_count",
        "CREATED": "created_at",
        "INTEGRATION": "integration.name",
        "TEAM": "team.name",
    },
    title=None,
    caption="title",
    links=(Link("integration_id", "integration", INTEGRATIONS), _TEAM),
    team_field="team_id",
    sample="IWM9M5WQXRBEN",
    typed=True,
)

ALERTS = Noun(
    name="alerts",
    summary="The alerts of alert groups.",
    columns={"ID": "id", "CREATED": "created_at", "TITLE": "title"},
    title=None,
    has_get=False,
    typed=True,
)
"""Not a noun on the command line: `alert-groups alerts` lists these."""

ROUTES = Noun(
    name="routes",
    summary="Routes: which alerts of an integration go to which escalation chain.",
    columns={
        "ID": "id",
        "INTEGRATION": "integration.name",
        "POSITION": "position",
        "CONDITION": "condition",
        "CHAIN": "escalation_chain.name",
    },
    title=None,
    caption="routing_regex",
    links=(
        Link("integration_id", "integration", INTEGRATIONS),
        Link("escalation_chain_id", "escalation_chain", ESCALATION_CHAINS),
    ),
    filters=(ListFilter("integration", "integration_id", INTEGRATIONS),),
    writes=ALL_WRITES,
    note_on_delete="default routes cannot be deleted",
    sample="RMRXVRQ1RJMKS",
    sample_update='{"routing_regex": "severity.*(critical|high)"}',
    typed=True,
)

SLACK_CHANNELS = Noun(
    name="slack-channels",
    summary="The Slack channels that OnCall can post to.",
    metavar="CHANNEL",
    columns={"ID": "slack_id", "NAME": "name"},
    id_field="slack_id",
    has_get=False,
    sample="incidents",
)

USER_GROUPS = Noun(
    name="user-groups",
    summary="Slack user groups that escalation steps can notify.",
    metavar="GROUP",
    columns={"ID": "id", "NAME": "slack.name", "HANDLE": "slack.handle"},
    title="slack.name",
    more_names=("slack.handle",),
    has_get=False,
    sample="platform-oncall",
)

ORGANIZATIONS = Noun(
    name="organizations",
    summary="The organization of the token.",
    columns={"ID": "id"},
    title=None,
    own_only=True,
    cloud_list=True,
)

WEBHOOKS = Noun(
    name="webhooks",
    summary="Outgoing webhooks: requests that OnCall sends to other systems.",
    metavar="WEBHOOK",
    columns={
        "ID": "id",
        "NAME": "name",
        "TRIGGER": "trigger_type",
        "METHOD": "http_method",
        "ENABLED": "is_webhook_enabled",
        "TEAM": "team_name.name",
    },
    links=(Link("team", "team_name", TEAMS),),
    team_field="team",
    writes=ALL_WRITES,
    read_in_full=False,
    has_secrets=True,
    sample="sync acknowledgements",
    sample_create='{"name": "chat", "url": "https://example.com", "http_method": "POST", "trigger_type": "escalation"}',
    sample_update='{"is_webhook_enabled": true}',
)

ESCALATION_POLICIES = Noun(
    name="escalation-policies",
    summary="Escalation policies: the steps of escalation chains.",
    columns={
        "ID": "id",
        "CHAIN": "escalation_chain.name",
        "POSITION": "position",
        "TYPE": "type",
        "IMPORTANT": "important",
    },
    title=None,
    caption="type",
    links=(Link("escalation_chain_id", "escalation_chain", ESCALATION_CHAINS),),
    filters=(ListFilter("chain", "escalation_chain_id", ESCALATION_CHAINS),),
    writes=ALL_WRITES,
    sample="EC48UAHTXSJX1",
    sample_update='{"duration": 900}',
    typed=True,
)

ON_CALL_SHIFTS = Noun(
    name="on-call-shifts",
    summary="On-call shifts: the rotations and events that schedules consist of.",
    metavar="SHIFT",
    columns={
        "ID": "id",
        "NAME": "name",
        "TYPE": "type",
        "SCHEDULE": "schedule_name.name",
        "START": "start",
        "DURATION": "duration",
        "TEAM": "team.name",
    },
    links=(Link("schedule", "schedule_name", SCHEDULES), _TEAM),
    team_field="team_id",
    filters=(ListFilter("schedule", "schedule_id", SCHEDULES),),
    writes=ALL_WRITES,
    note_on_delete="if a shift of a web schedule has begun, the server ends it instead of deleting it",
    write_role="editor",
    sample="tf weekday",
    sample_update='{"duration": 21600}',
    typed=True,
)

SHIFT_SWAPS = Noun(
    name="shift-swaps",
    summary="Shift swaps: who takes over whose shifts, and when.",
    columns={
        "ID": "id",
        "STATUS": "status",
        "SCHEDULE": "schedule_name.name",
        "START": "swap_start",
        "END": "swap_end",
        "BENEFICIARY": "beneficiary_name.name",
        "BENEFACTOR": "benefactor_name.name",
        "NOTE": "note",
    },
    title=None,
    caption="description",
    links=(
        Link("schedule", "schedule_name", SCHEDULES),
        Link("beneficiary", "beneficiary_name", USERS),
        Link("benefactor", "benefactor_name", USERS),
    ),
    writes=("delete",),
    note_on_delete="deleting a taken swap restores the original shifts",
    write_role="editor",
    sample="SSRMQV5P6Y64NXH",
    typed=True,
)

RESOLUTION_NOTES = Noun(
    name="resolution-notes",
    summary="Resolution notes: what people have written about alert groups.",
    columns={
        "ID": "id",
        "ALERT GROUP": "alert_group_id",
        "AUTHOR": "author_name.name",
        "CREATED": "created_at",
        "TEXT": "text",
    },
    title=None,
    caption="text",
    links=(Link("author", "author_name", USERS),),
    filters=(ListFilter("alert-group", "alert_group_id", ALERT_GROUPS),),
    writes=ALL_WRITES,
    write_role="editor",
    sample="MD5NQZDAYNBD4",
    sample_create='{"alert_group_id": "IWM9M5WQXRBEN", "text": "disk replaced"}',
    sample_update='{"text": "rolled back"}',
    typed=True,
)

PERSONAL_NOTIFICATION_RULES = Noun(
    name="personal-notification-rules",
    summary="Personal notification rules: how users are notified.",
    columns={
        "ID": "id",
        "USER": "user.name",
        "IMPORTANT": "important",
        "POSITION": "position",
        "TYPE": "type",
        "DURATION": "duration",
    },
    title=None,
    caption="type",
    links=(Link("user_id", "user", USERS),),
    filters=(ListFilter("user", "user_id", USERS), ListFilter("important", "important")),
    needs_user_token=True,
    writes=ALL_WRITES,
    write_role="editor",
    sample="NTHJBUIB4S4RM",
    sample_update='{"duration": 900}',
)

NOUNS = (
    INTEGRATIONS,
    ROUTES,
    ESCALATION_CHAINS,
    ESCALATION_POLICIES,
    SCHEDULES,
    ON_CALL_SHIFTS,
    SHIFT_SWAPS,
    TEAMS,
    USERS,
    PERSONAL_NOTIFICATION_RULES,
    ALERT_GROUPS,
    RESOLUTION_NOTES,
    WEBHOOKS,
    SLACK_CHANNELS,
    USER_GROUPS,
    ORGANIZATIONS,
)
"""The nouns of the command line that stand for objects of the API. The help lists those of its section "Objects" in
this order."""

COLLECTIONS = {noun.path: noun for noun in (*NOUNS, ALERTS)}
"""The nouns of all collections, by path."""

CACHED = {noun.path: noun for noun in NOUNS if noun.cached}
"""The nouns whose names are cached for completion, by path."""
