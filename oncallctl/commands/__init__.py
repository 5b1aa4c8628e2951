"""The commands: a module for each noun, a function for each verb.

A noun's module is loaded when the noun is used: to load all of them would be most of the start of the program.
"""

NOUNS = {
    "integrations": "Integrations: the sources of alerts.",
    "maintenance": "Maintenance windows: alerts that page nobody.",
    "teams": "Teams, and who is on call for them.",
    "users": "The people of the organisation.",
    "alert-groups": "Alert groups: what is firing, and what is done about it.",
    "schedules": "Schedules: who is on call when.",
    "routes": "Routes: which alerts of an integration go to which escalation chain.",
    "escalation-chains": "Escalation chains: whom to notify, in which order.",
    "auth": "Log in and out, and choose the profile.",
    "sandbox": "The sandbox: an OnCall in which nobody is paged.",
}
"""What the help says of each noun; `app` of the module of the same name has its verbs."""
