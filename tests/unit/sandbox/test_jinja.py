"""Templates with the filters and limits of the engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render

PAYLOAD = {
    "title": "disk /var at 91 %",
    "labels": {"severity": "critical"},
    "started": "2027-03-03T12:30:00+00:00",
    "inner": '{"host": "db-1"}',
    "at": datetime(2027, 3, 3, 12, 30, tzinfo=UTC),
    "lines": "eA==",
}


def test_template_with_the_engines_filters_renders() -> None:
    for template, text in [
        ("{% set s = payload.labels.severity %}{{ s | upper }}", "CRITICAL"),
        ("{% for k, v in payload.labels.items() %}{{ k }}={{ v }}{% endfor %}", "severity=critical"),
        ("{{ payload.missing }}", ""),
        ("{{ payload.title | regex_match('disk') }}", "True"),
        ("{{ payload.title | regex_search('^91') }}", "False"),
        ("{{ payload.title | regex_search('(') }}", "None"),
        ("{{ payload.title | regex_replace('[0-9]+', 'N') }}", "disk /var at N %"),
        ("{{ (payload.inner | parse_json).host }}", "db-1"),
        ("{{ payload.title | parse_json }}", "None"),
        ("{{ payload.labels | json_dumps }}", '{"severity": "critical"}'),
        ("{{ payload.labels | tojson_pretty }}", '{\n    "severity": "critical"\n}'),
        ("{{ payload.lines | b64decode }}", "x"),
        ("{{ payload.started | iso8601_to_time | datetimeformat('%H:%M') }}", "12:30"),
        ("{{ payload.at | datetimeformat_as_timezone('%H:%M', 'Asia/Tokyo') }}", "21:30"),
        ("{{ payload.at | datetimeformat_as_timezone(tz='Mars/X') }}", "None"),
        ("{{ '12:30 / 03-03-2027' | datetimeparse | datetimeformat('%Y') }}", "2027"),
        ("{{ '2h' | timedeltaparse }}", "2:00:00"),
        ("{{ '2y' | timedeltaparse }}", "None"),
    ]:
        assert render(template, payload=PAYLOAD) == text, template


@pytest.mark.parametrize(
    "template",
    [
        "{{ true",
        "{{ payload | unknown }}",
        "{% for i in range(3) %}{% endfor %}",
        "{{ payload.title.__class__.__mro__ }}",
    ],
)
def test_template_that_is_invalid_or_forbidden_raises_error(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, payload=PAYLOAD)


@pytest.mark.parametrize("template", ["{{ payload.missing.field }}", "{{ payload.title < 1 }}"])
def test_template_that_does_not_fit_the_payload_raises_warning(template: str) -> None:
    with pytest.raises(TemplateWarning):
        render(template, payload=PAYLOAD)


def test_template_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(TemplateError, match="50000"):
        render("x" * 50_001)


def test_result_longer_than_the_limit_is_cut() -> None:
    assert render("{{ 'x' * 50001 }}") == "x" * 50_000 + ".."
