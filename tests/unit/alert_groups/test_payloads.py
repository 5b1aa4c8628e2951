"""Titles and severities in the payloads of alerts."""

from oncallctl.alert_groups.payloads import severity, title


def test_title_is_read_where_monitoring_systems_put_it() -> None:
    for payload, expected in [
        ({"title": "disk full"}, "disk full"),
        ({"oncall": {"title": "help &amp; me", "message": "me"}}, "help & me"),  # escaped by the engine
        ({"title": "typed &amp;"}, "typed &amp;"),
        ({"labels": {"alertname": "DiskFull"}, "message": "x"}, "DiskFull"),
        ({"commonLabels": {"alertname": "DiskFull"}}, "DiskFull"),
        ({"title": "", "message": "only this"}, "only this"),
        ({"title": 5}, None),
        ({"title": {"title": "x"}}, None),
        ([], None),
    ]:
        assert title(payload) == expected, payload


def test_severity_is_read_from_labels_or_the_last_payload() -> None:
    for labels, payload, expected in [
        ([{"key": {"name": "severity"}, "value": {"name": "high"}}], {"severity": "low"}, "high"),
        ([{"key": {"name": "env"}, "value": {"name": "prod"}}], {"severity": "low"}, "low"),
        ([], {"labels": {"severity": "critical"}}, "critical"),
        ([], {"commonLabels": {"severity": "warning"}}, "warning"),
        ([None], {"severity": 1}, None),
        (None, None, None),
    ]:
        assert severity({"labels": labels, "last_alert": {"payload": payload}}) == expected, (labels, payload)
