"""Requests and responses shown in Grafana's API documents.

Sources: "Integrations HTTP API" and "Grafana OnCall teams HTTP API" of Grafana Cloud, and "Integrations HTTP API" (two
releases) and "Escalation HTTP API" of the self-hosted engine.
"""

from __future__ import annotations

from typing import Any

TOKEN = "meowmeowmeow"
STACK = "https://your-stack.grafana.net"

INTEGRATION_ID = "CFRPV98RPR1U8"
TEAM_ID = "TI73TDU19W48J"
GROUP_ID = "IZMRNNY8RFS94"

Document = dict[str, Any]

_THREE = {"title": None, "message": None, "image_url": None}
_TWO = {"title": None, "message": None}
_ONE = {"title": None}


def _integration(templates: Document, **more: object) -> Document:
    return {
        "id": INTEGRATION_ID,
        "name": "Grafana :blush:",
        "team_id": None,
        "link": "{{API_URL}}/integrations/v1/grafana/mReAoNwDm0eMwKo1mTeTwYo/",
        "inbound_email": None,
        **more,
        "type": "grafana",
        "default_route": {
            "id": "RVBE4RKQSCGJ2",
            "escalation_chain_id": "F5JU6KJET33FE",
            "slack": {"channel_id": "CH23212D"},
        },
        "templates": templates,
    }


# Templates in the responses to create, get and list. An older release of the engine lacks mobile_app.
_OLDER = {
    "grouping_key": None,
    "resolve_signal": None,
    "acknowledge_signal": None,
    "source_link": None,
    "slack": _THREE,
    "web": _THREE,
    "sms": _ONE,
    "phone_call": _ONE,
    "telegram": _THREE,
    "email": _TWO,
    "msteams": _THREE,
}
_NEWER = {**_OLDER, "mobile_app": _TWO}

# Templates in the response to an update.
_OLDER_UPDATED = {
    "grouping_key": None,
    "resolve_signal": None,
    "slack": _THREE,
    "web": _THREE,
    "email": _TWO,
    "sms": _ONE,
    "phone_call": _ONE,
    "telegram": _THREE,
}
_NEWER_UPDATED = {**_OLDER_UPDATED, "mobile_app": _TWO}

_NO_WINDOW = {"maintenance_mode": None, "maintenance_started_at": None, "maintenance_end_at": None}
_PAGE = {"current_page_number": 1, "page_size": 50, "total_pages": 1}

CREATE_BODY = {"type": "grafana"}
UPDATE_BODY = {"templates": {"grouping_key": None, "resolve_signal": None, "slack": _THREE}}
START_BODY = {"mode": "group_alerts", "duration": 3600}


def _page(result: Document, **more: object) -> Document:
    return {"count": 1, "next": None, "previous": None, "results": [result], **more}


# "Integrations HTTP API": an older and the last release of the engine, and Cloud.
OSS_OLDER_INTEGRATION = _integration(_OLDER)
OSS_OLDER_INTEGRATIONS = _page(OSS_OLDER_INTEGRATION)
OSS_OLDER_UPDATED = _integration(_OLDER_UPDATED)

OSS_INTEGRATION = _integration(_NEWER)
OSS_INTEGRATIONS = _page(OSS_INTEGRATION, **_PAGE)
OSS_UPDATED = _integration(_NEWER_UPDATED)

CLOUD_INTEGRATION = _integration(_NEWER, **_NO_WINDOW)
CLOUD_INTEGRATIONS = _page(CLOUD_INTEGRATION, **_PAGE)
CLOUD_UPDATED = _integration(_NEWER_UPDATED, **_NO_WINDOW)

# "returns the updated integration object, including the populated maintenance_mode, maintenance_started_at, and
# maintenance_end_at fields". The document shows no example; these values are invented.
CLOUD_STARTED = {
    **CLOUD_INTEGRATION,
    "maintenance_mode": "group_alerts",
    "maintenance_started_at": "2026-03-24T09:00:00Z",
    "maintenance_end_at": "2026-03-24T10:00:00Z",
}

# "Grafana OnCall teams HTTP API".
TEAM = {
    "id": TEAM_ID,
    "grafana_id": 123,
    "name": "my test team",
    "email": "",
    "avatar_url": "/avatar/3f49c15916554246daa714b9bd0ee398",
}
TEAMS = _page(TEAM, **_PAGE)
ON_CALL = {
    "count": 1,
    "users": [
        {
            "id": "U4DNY931HHJS5",
            "grafana_id": 456,
            "email": "alice@example.com",
            "slack": [{"user_id": "UALICESLACKID", "team_id": "TSLACKTEAMID"}],
            "username": "alice",
            "role": "admin",
            "is_phone_number_verified": True,
            "phone_number": "+12345678901",
            "phone_number_status": "available",
            "timezone": "America/New_York",
            "teams": ["TAAM1K1NNEHAG"],
        }
    ],
    "shifts": [
        {
            "schedule_id": "SBM7DV7BKFUYU",
            "schedule_name": "Primary Rotation",
            "team_id": TEAM_ID,
            "shift_start": "2026-03-24T09:00:00+00:00",
            "shift_end": "2026-03-25T09:00:00+00:00",
            "users": ["U4DNY931HHJS5"],
        }
    ],
}
# "count is 0, users is an empty list, and shifts is an empty list."
NOBODY_ON_CALL = {"count": 0, "users": [], "shifts": []}

# "Escalation HTTP API".
TITLE = "We are seeing a network outage in the datacenter"
MESSAGE = "I need help investigating, can you join the investigation?"
SOURCE_URL = "https://github.com/myorg/myrepo/issues/123"
CALM_USER, IMPORTANT_USER = "U281SN24AVVJX", "U5AKCVNDEDUE7"

_USERS = [{"id": CALM_USER, "important": False}, {"id": IMPORTANT_USER, "important": True}]
_TEXTS = {"title": TITLE, "message": MESSAGE, "source_url": SOURCE_URL}

USERS_BODY = {**_TEXTS, "users": _USERS}
TEAM_BODY = {**_TEXTS, "team": TEAM_ID, "important_team_escalation": True}
GROUP_BODY = {"alert_group_id": GROUP_ID, "users": _USERS}
ALERT_GROUP = {
    "id": "IZHCC4GTNPZ93",
    "integration_id": "CC3GZYZNIIEH5",
    "route_id": "RDN8LITALJXCJ",
    "alerts_count": 1,
    "state": "firing",
    "created_at": "2024-08-15T18:05:36.801215Z",
    "resolved_at": None,
    "resolved_by": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "title": "We're seeing a network outage in the datacenter",
    "permalinks": {
        "slack": None,
        "slack_app": None,
        "telegram": None,
        "web": "http://<my_grafana_url>/a/grafana-oncall-app/alert-groups/I5LAZ2MXGPUAH",
    },
    "silenced_at": None,
}

# "Labels" and "Dynamic labels" of Cloud's "Integrations HTTP API".
LABELS_BODY = {
    "labels": [
        {"key": {"name": "team"}, "value": {"name": "SRE"}},
        {"key": {"name": "environment"}, "value": {"name": "production"}},
    ]
}
DYNAMIC_LABELS_BODY = {
    "dynamic_labels": [
        {"key": {"name": "severity"}, "value": {"name": "{{ payload.get('severity', 'unknown') }}"}},
        {"key": {"name": "service"}, "value": {"name": "{{ payload.commonLabels.get('service_name', '') }}"}},
    ]
}
