"""Which route of a direct paging integration a page takes."""

from __future__ import annotations

from oncallctl.api.resources.routes import Route
from oncallctl.escalation.routes import choose

Expected = bool | None
OUTCOMES = {True: ["RFIRST"], False: ["RDEFAULT"], None: ["RFIRST", "RDEFAULT"]}
IMPORTANT = "{{ payload.oncall.important }}"


def make_route(name: str, condition: str | None = None, kind: str = "jinja2", position: int = 0) -> Route:
    """A route whose chain has its name; without a condition the default one."""
    document = {
        "id": f"R{name}",
        "escalation_chain_id": f"F{name}",
        "routing_type": kind,
        "routing_regex": condition,
        "position": position,
        "is_the_last_route": condition is None,
    }
    return Route.read(document)


def taken(routes: list[Route], *, important: bool = False) -> list[str]:
    return [route.id for route in choose(routes, important=important)]


def test_jinja_condition_is_evaluated_for_both_importances() -> None:
    for condition, when_important, otherwise in [
        (IMPORTANT, True, False),
        ("{{payload.oncall.important}}", True, False),
        ("  {{- payload['oncall'].important -}}\n", True, False),
        ("{{ not payload.oncall.important }}", False, True),
        ("{{ payload.oncall.important == true }}", True, False),
        ("{{ payload.oncall.important != True }}", False, True),
        ("{{ payload.oncall.important is false }}", False, True),
        ('{{ payload.oncall.important == "true" }}', False, False),
        ("{{ payload.oncall.important is True }}", None, None),  # Jinja has no such test
        ("{{ 'ok' if payload.oncall.important else 'no' }}", True, False),
        ("{{ payload.oncall.important is sameas true }}", None, None),
        ("{{ payload.oncall.important and 'db' in payload.oncall.title }}", None, False),
        ("{{ 'db' in payload.oncall.title and payload.oncall.important }}", None, False),
        ("{{ payload.oncall.important or 'db' in payload.oncall.title }}", True, None),
        ("{{ 'db' in payload.oncall.title or payload.oncall.important }}", None, None),
        ("{{ 'minor' in payload.oncall.title }}", None, None),
        ("{{ payload.oncall.important | string }}", None, None),
        ("{% if payload.oncall.important %}true{% endif %}", True, False),
        ("{%- if not payload.oncall.important -%} 1 {%- else -%} 0 {%- endif -%}", False, True),
        ("{% if 'db' in payload.oncall.title %}true{% endif %}", None, None),
        ("{% if payload.oncall.important %}{{ payload.oncall.title }}{% endif %}", None, None),
        ("{{ payload.oncall.important }}{{ payload.oncall.title }}", None, None),
        ("{{ payload.oncall.important", None, None),
        ("{{ " + "(" * 500 + " }}", None, None),
        ("{{ 1 }}", True, True),
        ("{{ 2 }}", False, False),
        ("true", True, True),
        ("OK", True, True),
        ("yes", False, False),
        ("", False, False),
    ]:
        routes = [make_route("FIRST", condition), make_route("DEFAULT", position=1)]
        for important, expected in ((True, when_important), (False, otherwise)):
            assert taken(routes, important=important) == OUTCOMES[expected], condition


def test_regex_condition_is_evaluated_for_both_importances() -> None:
    for condition, when_important, otherwise in [
        (".*", True, True),
        ('"important": true', True, False),
        ('"important": false', False, True),
        ('"important":true', False, False),  # the engine's JSON has a space there
        ("database", None, None),
    ]:
        routes = [make_route("FIRST", condition, "regex"), make_route("DEFAULT", position=1)]
        for important, expected in ((True, when_important), (False, otherwise)):
            assert taken(routes, important=important) == OUTCOMES[expected], condition


def test_labels_condition_is_not_known() -> None:
    assert taken([make_route("FIRST", "{}", "labels"), make_route("DEFAULT")]) == OUTCOMES[None]


def test_first_match_in_order_wins_and_default_comes_last() -> None:
    routes = [
        make_route("DEFAULT", position=0),
        make_route("SECOND", "true", position=2),
        make_route("FIRST", "true", position=1),
        make_route("NEVER", "false", position=0),
    ]
    assert taken(routes) == ["RFIRST"]


def test_unevaluated_condition_leaves_every_route_up_to_the_next_match() -> None:
    routes = [
        make_route("NEVER", "no", position=0),
        make_route("MAYBE", "{{ payload.oncall.title }}", position=1),
        make_route("IMPORTANT", IMPORTANT, position=2),
        make_route("DEFAULT", position=3),
    ]
    assert taken(routes, important=True) == ["RMAYBE", "RIMPORTANT"]
