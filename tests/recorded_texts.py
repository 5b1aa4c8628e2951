"""Names and texts of the recorded organization, which replace those of the sample data in tests.

They are difficult on purpose: emoji, quotes, right-to-left text, trailing spaces, names that differ by case.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

INTEGRATION_NAMES = {
    "C5U5IZGQ48B4M": "[prod] api",
    "C3VV5L7ASAXEA": "[prod] api",
    "CS7XQN8RQ8HM8": "[staging] api (eu)",
    "CZEUNZ9EZ57BS": "🔥 fire-drill",
    "CCYZTYG6B5ABP": "café-früh",
    "C4NIHNA71U5SV": "日本語 インテグレーション",
    "CI6QTXQ3AIYX1": "api",
    "C59QQIB3KJMYU": "API",
    "C2C2UUDF7VBSR": "Api ",
    "CP5V3B4KWZBCC": 'name with "quotes" & <tags>',
    "CS9ACUNH82NZH": "a/b/c",
    "CSK36QHFD9KLX": "100% cpu",
    "C86LG62Q3FZMZ": "trailing space ",
    "CP7W4UATTWSVH": "tab\tname",
    "CZBW7CLPVDSZF": "عربى",
    "CWTGI5K1USXFQ": "-dash-first",
    "CVH1PYNAWWZPY": "C" + "X" * 149,
    "CFJ4L5NQ4842L": "dup",
    "CCRD7AMY1K4G6": "dup",
    "C4KVQ4CAXGERZ": "dup",
}
ALERT_NUMBERS = {
    "IJK85SL9H9WEU": "044",
    "IKJTTR9H9R7RR": "040",
    "IPUDPPD3K49JX": "036",
    "IVXAIXC1YKIAI": "032",
    "ILYEXZV76FWJ8": "028",
    "INVFU3SJEAUIQ": "024",
    "ISJPQSH8P2N28": "021",
    "I5LU4CET91TPA": "020",
    "IXVZICTNDV9PQ": "018",
    "ITZS8C3IAPIQD": "017",
    "IWM9M5WQXRBEN": "016",
    "ISHJTMEUMF6E6": "015",
    "IFGKKG959KPMI": "012",
    "IC25YF9H1D99U": "010",
    "IZ13JI6J94RL7": "008",
    "IA44XW4VEDZVU": "007",
    "I2N5YL2NUWZ5U": "005",
    "I3S3VS8BBRY6Q": "003",
    "ICRA95TYN2LTV": "002",
    "IP3T28FBB4FUB": "001",
    "ICT3ZIXZWI2QX": "000",
}
"""Numbers in the titles of alert groups."""
WEBHOOKS = {
    "WH84KLFXI6ZKAD": ("escalation hook", "http://127.0.0.1:9/hook"),
    "WHHJX71WU95E39": ("[ack] wébhook", "http://127.0.0.1:9/ack"),
}


def use_recorded_texts(database: Path) -> None:
    """Replace the names and texts of the sample data in a sandbox database by the recorded ones."""
    with closing(sqlite3.connect(database)) as db, db:
        for integration_id, name in INTEGRATION_NAMES.items():
            db.execute("UPDATE integrations SET name = ? WHERE id = ?", (name, integration_id))
        for group_id, number in ALERT_NUMBERS.items():
            _use_recorded_alerts(db, group_id, f"Alert {number}")
        for webhook_id, (name, url) in WEBHOOKS.items():
            db.execute("UPDATE webhooks SET name = ?, url = ? WHERE id = ?", (name, url, webhook_id))
        db.execute("UPDATE resolution_notes SET text = 'note ' || (position - 1)")


def _use_recorded_alerts(db: sqlite3.Connection, group_id: str, title: str) -> None:
    db.execute(
        "UPDATE alert_groups SET title = ? || ' on ' || "
        "(SELECT name FROM integrations WHERE id = integration_id) WHERE id = ?",
        (title, group_id),
    )
    alerts = db.execute(
        "SELECT id, payload_json FROM alerts WHERE alert_group_id = ? ORDER BY position", (group_id,)
    ).fetchall()
    for number, (alert_id, payload) in enumerate(alerts):
        recorded = {"title": title, "severity": json.loads(payload)["severity"], "n": number, "unicode": "é🔥"}
        db.execute("UPDATE alerts SET payload_json = ? WHERE id = ?", (json.dumps(recorded), alert_id))
