"""Integrations: behavior that no recording covers, such as most of Cloud."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.conftest import PLATFORM, SERVICE, Api


def create(api: Api, **fields: object) -> dict[str, object]:
    made: dict[str, object] = api.post("integrations/", {"type": "webhook", "name": "made", **fields})
    return made


def label(key: str, value: str) -> dict[str, dict[str, str]]:
    return {"key": {"name": key}, "value": {"name": value}}


def test_chat_templates_are_named_msteams_on_cloud_and_webhook_on_oss(cloud: Api, oss: Api) -> None:
    on_cloud, on_oss = (api.get(f"integrations/{SERVICE}")["templates"] for api in (cloud, oss))
    assert on_cloud.keys() ^ on_oss.keys() == {"msteams", "webhook"}


def test_cloud_only_type_is_refused_by_oss(cloud: Api, oss: Api) -> None:
    assert create(cloud, type="pagerduty")["type"] == "pagerduty"
    assert oss.refused("POST", "integrations/", {"type": "pagerduty"}) == {"detail": "Invalid integration type"}
    assert cloud.refused("POST", "integrations/", {"type": "nope"}) == {"detail": "Invalid integration type"}


def test_integration_without_a_name_is_named_after_its_type(cloud: Api) -> None:
    names = [cloud.post("integrations/", {"type": "formatted_webhook"})["name"] for _ in range(2)]
    assert names == ["Formatted webhook :blush:", "Formatted webhook :blush: 2"]


def test_labels_of_a_body_replace_all_labels(cloud: Api) -> None:
    made = create(cloud, labels=[label("env", "prod"), label("team", "SRE")])
    assert made["labels"] == [label("env", "prod"), label("team", "SRE")]
    changed = cloud.patch(f"integrations/{made['id']}", {"labels": [label("env", "dev")]})
    assert changed["labels"] == [label("env", "dev")]
    untouched = cloud.patch(f"integrations/{made['id']}", {"name": "other"})
    assert untouched["labels"] == [label("env", "dev")]


def test_labels_that_break_the_documented_rules_are_refused(cloud: Api) -> None:
    for labels in [
        [label("env", "a"), label("env", "b")],
        [label("1env", "a")],
        [label("env_", "a")],
        [label("env-x", "a")],
        [label("e" * 64, "a")],
        [label("", "a")],
        [label("env", "")],
        [label("env", "1a")],
        [label("env", "a1")],
        [label("env", "a b")],
        [label("env", "v" * 64)],
        [{"key": "env", "value": "prod"}],
        {"env": "prod"},
        "x",
    ]:
        body = {"type": "webhook", "name": "made", "labels": labels}
        assert cloud.refused("POST", "integrations/", body).keys() == {"labels"}, labels
        assert cloud.get("integrations/?name=made")["count"] == 0, labels


@pytest.mark.parametrize("labels", [[], [label("a", "b")], [label("e" * 63, "v" * 63)], [label("a_1b", "x.y-z_")]])
def test_labels_that_follow_the_documented_rules_are_stored(cloud: Api, labels: object) -> None:
    assert create(cloud, labels=labels)["labels"] == labels


def test_dynamic_label_with_an_invalid_template_is_refused(cloud: Api) -> None:
    template = label("severity", "{{ payload.get('severity', 'unknown') }}")
    assert create(cloud, dynamic_labels=[template])["dynamic_labels"] == [template]
    broken = {"type": "webhook", "name": "other", "dynamic_labels": [label("severity", "{{ payload")]}
    assert cloud.refused("POST", "integrations/", broken).keys() == {"dynamic_labels"}


def test_labels_are_ignored_on_oss(oss: Api, cloud: Api) -> None:
    made = create(oss, labels="x", dynamic_labels=[1])
    assert "labels" not in made
    assert cloud.get(f"integrations/{made['id']}")["labels"] == []


def test_null_template_resets_only_that_template(cloud: Api) -> None:
    made = create(cloud, templates={"slack": {"title": "T", "message": "M"}, "grouping_key": "K"})
    body = {"templates": {"slack": {"title": None}}}
    after = cloud.patch(f"integrations/{made['id']}", body)["templates"]
    assert (after["slack"], after["grouping_key"]) == ({"title": None, "message": "M", "image_url": None}, "K")


def test_template_group_that_is_a_string_is_refused(cloud: Api) -> None:
    refused = cloud.refused("PATCH", f"integrations/{SERVICE}", {"templates": {"slack": "T"}})
    assert refused == {"detail": "invalid slack template"}


def test_refused_update_changes_nothing(cloud: Api) -> None:
    before = cloud.get(f"integrations/{SERVICE}")
    cloud.refused("PATCH", f"integrations/{SERVICE}", {"name": "new", "templates": {"web": {"title": "{{"}}})
    assert cloud.get(f"integrations/{SERVICE}") == before


def test_move_to_a_team_with_the_same_name_is_refused(cloud: Api) -> None:
    made = create(cloud, name="service-000", team_id=None)
    refused = cloud.refused("PATCH", f"integrations/{made['id']}", {"team_id": PLATFORM})
    assert refused == {"detail": "An integration with this name already exists for this team"}


def test_alert_posted_to_a_new_integration_opens_a_group(cloud: Api) -> None:
    made = create(cloud, type="formatted_webhook", name="mine")
    assert cloud.alert(str(made["id"]), {"title": "disk full"}).status_code == 200
    (group,) = cloud.get(f"alert_groups/?integration_id={made['id']}")["results"]
    assert (group["title"], group["state"], group["alerts_count"]) == ("disk full", "firing", 1)


def test_alert_takes_the_first_matching_route_of_the_sample(cloud: Api) -> None:
    for payload in ({"severity": "critical"}, {"severity": "warning"}):
        cloud.alert("C5U5IZGQ48B4M", payload)
    warning, critical = cloud.get("alert_groups/?integration_id=C5U5IZGQ48B4M&perpage=2")["results"]
    assert critical["route_id"] == "RMRXVRQ1RJMKS"
    assert warning["route_id"] == "RGDC4SL7W5M5K"


def test_alert_posted_to_an_unknown_link_is_refused(cloud: Api) -> None:
    link = cloud.get(f"integrations/{SERVICE}")["link"].split("/integrations/")[1]
    wrong = "/integrations/" + link.replace("webhook", "zabbix")
    assert cloud.send("POST", wrong, {}).status_code == 403


@pytest.mark.parametrize("template", ["{{", "{{ a", "{% if a %}", "{% endif %}", "{{ }}", "{{ a | nope }}"])
def test_integration_template_with_invalid_syntax_is_refused(cloud: Api, template: str) -> None:
    body = {"templates": {"web": {"title": template}}}
    assert cloud.refused("PATCH", f"integrations/{SERVICE}", body) == {"detail": "invalid web title template"}


@pytest.mark.parametrize(
    "template", ["", "}} lone", "{# note #}", "{% if a %}{{ b }}{% endif %}", "{{ a | regex_match('b') }}"]
)
def test_integration_template_with_valid_syntax_is_stored(cloud: Api, template: str) -> None:
    body = {"templates": {"web": {"title": template}}}
    assert cloud.patch(f"integrations/{SERVICE}", body)["templates"]["web"]["title"] == template


def test_name_filter_of_integrations_is_case_sensitive(oss: Api) -> None:
    found = oss.get("integrations/?name=Direct+paging+(platform+team)")["results"]
    assert [(row["type"], row["team_id"]) for row in found] == [("direct_paging", PLATFORM)]
    assert oss.get("integrations/?name=direct+paging+(platform+team)")["count"] == 0
