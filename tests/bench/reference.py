"""Reference for the benchmark: scripts that use httpx only.

`reference.py teams URL` is the ten-line script that people write instead. `pages` and `starts` send eight requests at a
time.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx

what, url = sys.argv[1:3]
client = httpx.Client(base_url=f"{url}/api/v1/", headers={"Authorization": "token"}, trust_env=False)

if what == "teams":
    teams = client.get("teams/", params={"perpage": 100}).raise_for_status().json()["results"]
    print(json.dumps(teams, indent=2))
else:
    with ThreadPoolExecutor(8) as at_once:
        first = client.get("integrations/", params={"page": 1}).json()
        read = lambda page: client.get("integrations/", params={"page": page}).json()["results"]  # noqa: E731
        rows = [
            *first["results"],
            *(row for rows in at_once.map(read, range(2, first["total_pages"] + 1)) for row in rows),
        ]
        if what == "pages":
            print("\n".join(map(json.dumps, rows)))
        else:
            body = {"mode": "silence_escalations", "duration": 3600}
            chosen = rows[:200]
            done = at_once.map(
                lambda row: client.post(f"integrations/{row['id']}/maintenance_start", json=body), chosen
            )
            print(sum(answer.is_success for answer in done))
