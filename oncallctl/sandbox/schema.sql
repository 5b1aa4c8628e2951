-- Times are seconds since 1970 in UTC, booleans 0 or 1. Columns named *_json hold JSON.
-- `maintenance_mode` has Cloud's name of the mode; `Variant.mode` translates it.

-- shares_resources: users who are neither members nor admins can use the team; the API does not show this.
CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    grafana_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    avatar_url TEXT NOT NULL,
    shares_resources INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    grafana_id INTEGER NOT NULL,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'editor', 'viewer', 'none')),
    timezone TEXT,
    phone_number TEXT,
    phone_hidden INTEGER NOT NULL,
    teams_json TEXT NOT NULL
) STRICT;

-- duration_seconds: of rules of type wait.
CREATE TABLE personal_notification_rules (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    important INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    duration_seconds INTEGER
) STRICT;

CREATE TABLE slack_channels (
    slack_id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE user_groups (
    id TEXT PRIMARY KEY,
    slack_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    handle TEXT NOT NULL
) STRICT;

-- integration_filter_json is a list of integration IDs.
CREATE TABLE webhooks (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    team_id TEXT REFERENCES teams (id),
    is_webhook_enabled INTEGER NOT NULL DEFAULT 1,
    url TEXT NOT NULL,
    http_method TEXT NOT NULL,
    trigger_type TEXT NOT NULL,
    trigger_template TEXT,
    headers TEXT,
    data TEXT,
    forward_all INTEGER NOT NULL DEFAULT 1,
    username TEXT,
    password TEXT,
    authorization_header TEXT,
    integration_filter_json TEXT NOT NULL DEFAULT '[]'
) STRICT;

CREATE TABLE escalation_chains (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    team_id TEXT REFERENCES teams (id)
) STRICT;

CREATE TABLE schedules (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    team_id TEXT REFERENCES teams (id),
    type TEXT NOT NULL CHECK (type IN ('web', 'calendar', 'ical')),
    time_zone TEXT,
    slack_channel_id TEXT,
    slack_user_group_id TEXT,
    ical_url_primary TEXT,
    ical_url_overrides TEXT,
    enable_web_overrides INTEGER NOT NULL DEFAULT 0
) STRICT;

-- start and rotation_start are local times (`2026-11-07T00:00:00`) in time_zone, or in the zone of the schedule if that
-- is null; until is in UTC. users_json is a list of user IDs, rolling_users_json a list of such lists.
CREATE TABLE on_call_shifts (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT,
    team_id TEXT REFERENCES teams (id),
    type TEXT NOT NULL CHECK (type IN ('rolling_users', 'recurrent_event', 'single_event', 'override')),
    time_zone TEXT,
    level INTEGER NOT NULL DEFAULT 0,
    start TEXT NOT NULL,
    duration_seconds INTEGER NOT NULL,
    rotation_start TEXT NOT NULL,
    frequency TEXT CHECK (frequency IN ('hourly', 'daily', 'weekly', 'monthly')),
    interval INTEGER,
    until TEXT,
    week_start TEXT NOT NULL DEFAULT 'SU',
    by_day_json TEXT,
    by_month_json TEXT,
    by_monthday_json TEXT,
    users_json TEXT NOT NULL DEFAULT '[]',
    rolling_users_json TEXT,
    start_rotation_from_user_index INTEGER
) STRICT;

-- Calendars share shifts, web schedules do not.
CREATE TABLE schedule_shifts (
    schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    shift_id TEXT NOT NULL REFERENCES on_call_shifts (id) ON DELETE CASCADE,
    PRIMARY KEY (schedule_id, shift_id)
) STRICT;
CREATE INDEX schedules_of_shift ON schedule_shifts (shift_id);

-- benefactor_id: null until the swap is taken.
CREATE TABLE shift_swaps (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    schedule_id TEXT NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    swap_start REAL NOT NULL,
    swap_end REAL NOT NULL,
    description TEXT,
    beneficiary_id TEXT NOT NULL REFERENCES users (id),
    benefactor_id TEXT REFERENCES users (id),
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) STRICT;

-- Times of day have the format `09:00:00Z`.
-- last_notified_id: the user whose turn it was in the last run of a notify_person_next_each_time step.
CREATE TABLE escalation_policies (
    id TEXT PRIMARY KEY,
    escalation_chain_id TEXT NOT NULL REFERENCES escalation_chains (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    important INTEGER,
    duration_seconds INTEGER,
    schedule_id TEXT REFERENCES schedules (id) ON DELETE SET NULL,
    people_json TEXT NOT NULL DEFAULT '[]',
    last_notified_id TEXT,
    team_id TEXT REFERENCES teams (id),
    user_group_id TEXT REFERENCES user_groups (id),
    webhook_id TEXT REFERENCES webhooks (id) ON DELETE SET NULL,
    time_from TEXT,
    time_to TEXT,
    alerts_in_window INTEGER,
    minutes_in_window INTEGER,
    severity TEXT
) STRICT;

-- hidden: the integrations of the "Maintenance of …" groups; the API never shows them.
CREATE TABLE integrations (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description_short TEXT,
    team_id TEXT REFERENCES teams (id),
    type TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    hidden INTEGER NOT NULL DEFAULT 0,
    templates_json TEXT NOT NULL DEFAULT '{}',
    labels_json TEXT NOT NULL DEFAULT '{}',
    dynamic_labels_json TEXT NOT NULL DEFAULT '{}',
    maintenance_mode TEXT CHECK (maintenance_mode IN ('silence_escalations', 'group_alerts', 'disable_alerts')),
    maintenance_started_at REAL,
    maintenance_end_at REAL,
    maintenance_group_id TEXT
) STRICT;

CREATE TABLE routes (
    id TEXT PRIMARY KEY,
    integration_id TEXT NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    escalation_chain_id TEXT REFERENCES escalation_chains (id) ON DELETE SET NULL,
    position INTEGER NOT NULL,
    routing_type TEXT NOT NULL DEFAULT 'regex',
    routing_regex TEXT,
    is_default INTEGER NOT NULL,
    notifications_json TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX routes_of_integration ON routes (integration_id);

-- No reference to integrations: groups outlive their integration.
-- silenced_until: null if the silence has no end.
-- window_group_id: the "Maintenance of …" group that the group is attached to.
CREATE TABLE alert_groups (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    integration_id TEXT NOT NULL,
    team_id TEXT,
    route_id TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('firing', 'acknowledged', 'resolved', 'silenced')),
    labels_json TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL,
    resolved_at REAL,
    resolved_by TEXT,
    acknowledged_at REAL,
    acknowledged_by TEXT,
    silenced_at REAL,
    silenced_until REAL,
    window_group_id TEXT
) STRICT;

-- The newest has the highest position.
CREATE TABLE alerts (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    alert_group_id TEXT NOT NULL REFERENCES alert_groups (id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    payload_json TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_of_group ON alerts (alert_group_id);

-- author_id: null for a service account.
CREATE TABLE resolution_notes (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    alert_group_id TEXT NOT NULL REFERENCES alert_groups (id) ON DELETE CASCADE,
    author_id TEXT REFERENCES users (id),
    created_at REAL NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX resolution_notes_of_group ON resolution_notes (alert_group_id);

-- The notifications that a real server would have sent.
-- step: the type of the escalation step; null for a user who was paged by name.
CREATE TABLE notifications (
    position INTEGER PRIMARY KEY,
    alert_group_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    important INTEGER NOT NULL,
    step TEXT,
    notified_at REAL NOT NULL
) STRICT;

-- Escalations that continue later. steps_json: the steps when it started; at: the index of the next step.
CREATE TABLE escalations (
    alert_group_id TEXT PRIMARY KEY REFERENCES alert_groups (id) ON DELETE CASCADE,
    steps_json TEXT NOT NULL,
    at INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    due_at REAL NOT NULL
) STRICT;

-- The requests of the last minute, for the rate limit.
CREATE TABLE requests (
    bucket TEXT NOT NULL,
    caller TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;

CREATE INDEX requests_of_a_caller ON requests (bucket, caller, at);
