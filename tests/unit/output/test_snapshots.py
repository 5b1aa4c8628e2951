"""Screens as they look on a terminal, with and without color.

After an intended change, rewrite the files with ``REWRITE_SNAPSHOTS=1 pytest tests/unit/output`` and look at each:
`cat` shows the colors of an ``.ansi``.
"""

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from oncallctl.api.nouns import ALERT_GROUPS
from oncallctl.config.settings import Settings
from oncallctl.output import card, colors, dry_run, table
from oncallctl.output.card import Card
from oncallctl.output.prompts import Proposal

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
UTC_ONLY = Settings()

GROUPS = [
    {
        "id": "ICT3ZIXZWI2QX",
        "state": "firing",
        "title": "API error rate above 2 %",
        "alerts_count": 1,
        "created_at": "2026-11-25T10:45:00Z",
        "integration": {"id": "C5U5IZGQ48B4M", "name": "api-gateway"},
        "team": {"id": "TKPSLLWBFUI9R", "name": "platform"},
    },
    {
        "id": "IP3T28FBB4FUB",
        "state": "acknowledged",
        "title": "Webhook deliveries to merchants in Europe and Asia are delayed by more than 15 minutes",
        "alerts_count": 12,
        "created_at": "2026-11-24T08:00:00Z",
        "integration": {"id": "C3VV5L7ASAXEA", "name": "payment-webhooks"},
        "team": {"id": "TNFI27MJ312BL", "name": "payments"},
    },
    {
        "id": "I3S3VS8BBRY6Q",
        "state": "silenced",
        "title": "\x1b[31mStatus page\u202e cannot be updated [bold]x[/bold]",
        "alerts_count": 1,
        "created_at": "2026-11-25T11:59:30Z",
        "integration": {"id": "CZEUNZ9EZ57BS", "name": "status-page"},
        "team": None,
    },
]


def drawn_table(screen: Console) -> None:
    table.print_table(UTC_ONLY, table.layout(UTC_ONLY, GROUPS, ALERT_GROUPS.columns))


def drawn_card(screen: Console) -> None:
    made = Card("API error rate above 2 %", state="firing")
    made.add("ID", "ICT3ZIXZWI2QX")
    made.add("State", "firing since 2026-11-25 10:45 UTC, 1h 15m ago", colors.style_of("firing"))
    made.add("Summary", "3.1 % of the requests to /v2/orders return 500, most of them from clients in Europe and Asia.")
    made.add("Team", None)
    made.section("Nothing here")
    links = made.section("Links")
    links.add("Runbook", f"https://runbooks.example.com/{'api-errors/' * 10}", colors.LINK)
    notes = made.section("Notes")
    notes.add("alice", "Rolled back orders-api.\n\x1b]0;x\x07Error rate is falling.")
    card.print_card(UTC_ONLY, made)


def drawn_prompt(screen: Console) -> None:
    proposal = Proposal(
        "Delete 12 integrations",
        [f"'service-{number:03}'" for number in range(12)],
        ["Ending the window of 'service-000' resolves 3 alert groups."],
        is_destructive=True,
    )
    screen.file.write("\n".join([*proposal.lines(UTC_ONLY), ""]))


def drawn_requests(screen: Console) -> None:
    url = "https://oncall.example.com/api/v1/integrations/C5BPMMTY9FMXJ/maintenance_start"
    body = {"mode": "debug", "duration": 1800, "note": None}
    request = {"method": "POST", "url": url, "body": body}
    outcomes = [
        {"target": "service-010", "status": "would-start", "error": None, "requests": [request]},
        {"target": "service-011", "status": "unchanged", "error": None, "requests": []},
    ]
    dry_run.render_requests(UTC_ONLY, outcomes, {})


DRAWN = {"table": drawn_table, "card": drawn_card, "prompt": drawn_prompt, "dry-run": drawn_requests}


@pytest.mark.parametrize("color", [True, False], ids=["color", "plain"])
@pytest.mark.parametrize(
    ("name", "width"),
    [("table", 80), ("table", 120), ("card", 80), ("card", 120), ("prompt", 80), ("dry-run", 80)],
)
def test_screen_looks_like_its_snapshot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, width: int, *, color: bool
) -> None:
    screen = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard" if color else None, emoji=False
    )
    monkeypatch.setattr(table, "now", lambda: NOW)
    monkeypatch.setattr(table, "console", lambda _settings, **_: screen)
    monkeypatch.setattr(colors, "enabled", lambda _settings, _stream: color)
    DRAWN[name](screen)
    compare(f"{name}-{width}.{'ansi' if color else 'txt'}", screen.file.getvalue() + capsys.readouterr().out)  # type: ignore[attr-defined]


def compare(name: str, shown: str) -> None:
    path = Path(__file__).parent / "snapshots" / name
    if "REWRITE_SNAPSHOTS" in os.environ:
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown
