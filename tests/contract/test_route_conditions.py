"""150 route conditions, which the sandbox must evaluate like the engine.

route_conditions.json has six results per condition: for pages with three titles, each not important and important.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from oncallctl.sandbox.alert_group_rows import condition_holds

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recordings" / "route_conditions.json").read_text(encoding="utf-8")
)


def payload(title: str | None, *, important: bool) -> dict[str, object]:
    return {
        "oncall": {
            "title": "ada is paging x to join escalation" if title is None else html.escape(title, quote=False),
            "message": None,
            "uid": "3c54685f-0229-4a04-9543-a69591c30d70",
            "author_username": "ada",
            "permalink": None,
            "important": important,
        }
    }


def test_sandbox_evaluates_every_recorded_condition_like_the_engine() -> None:
    payloads = [payload(title, important=important) for title in RECORDED["titles"] for important in (False, True)]
    here = [
        [kind, condition, "".join(str(int(condition_holds(kind, condition, each))) for each in payloads)]
        for kind, condition, _ in RECORDED["conditions"]
    ]
    assert here == RECORDED["conditions"]
