"""Titles and severities in the payloads of alerts."""

import pytest

from oncallctl.alert_groups.payloads import severity, title


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"title": "disk full"}, "disk full"),
        ({"oncall": {"title": "help &amp; me", "message": "me"}}, "help & me"),  # escaped by the engine
        ({"title": "typed &amp;"}, "typed &amp;"),
        ({"labels": {"alertname": "DiskFull"}, "message": "x"}, "DiskFull"),
        ({"commonLabels": {"alertname": "DiskFull"}}, "DiskFull"),
        ({"title": "", "message": "only this"}, "only this"),
        ({"title": 5}, None),
        ({"title": {"title": "x"}}, None),
        ([], None),
    ],
)
def test_title_is_read_where_monitoring_systems_put_it(payload: object, expected: str | None) -> None:
    assert title(payload) == expected


@pytest.mark.parametrize(
    ("labels", "payload", "expected"),
    [
        ([{"key": {"name": "severity"}, "value": {"name": "high"}}], {"severity": "low"}, "high"),
        ([{"key": {"name": "env"}, "value": {"name": "prod"}}], {"severity": "low"}, "low"),
        ([], {"labels": {"severity": "critical"}}, "critical"),
        ([], {"commonLabels": {"severity": "warning"}}, "warning"),
        ([None], {"severity": 1}, None),
        (None, None, None),
    ],
)
def test_severity_is_read_from_labels_or_the_last_payload(
    labels: object, payload: object, expected: str | None
) -> None:
    assert severity({"labels": labels, "last_alert": {"payload": payload}}) == expected
