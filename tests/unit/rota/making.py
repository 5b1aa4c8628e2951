"""Rotas created in the sandbox through its API."""

from __future__ import annotations

from dataclasses import dataclass

from tests.serving import Serving

ALICE, BOB, CAROL, DAVE = "U6YF83T9HEFKQ", "U85BI7ASG8K6E", "U5E53H65Q9XRM", "UBA8RB2WD7AWI"
HEIDI = "UK4UQ67QC25X6"
EMPTY_TEAM, EMPTY_PAGING = "TTGSJ42GU2P7N", "C3FQ4PUV3RSLA"
WEEKLY = {"type": "recurrent_event", "frequency": "weekly", "week_start": "MO", "interval": 1, "time_zone": "UTC"}
DAILY = {"type": "rolling_users", "frequency": "daily", "start_rotation_from_user_index": 0}


@dataclass(frozen=True)
class Maker:
    """Creates shifts, schedules and chains for the team that has none."""

    server: Serving

    def shift(self, **fields: object) -> str:
        return str(self.server.call("POST", "on_call_shifts/", {"name": "x", "level": 1, **fields})["id"])

    def schedule(self, name: str, *shifts: str, time_zone: str = "UTC", team: str | None = EMPTY_TEAM) -> str:
        body = {"name": name, "type": "web", "time_zone": time_zone, "team_id": team, "shifts": list(shifts)}
        return str(self.server.call("POST", "schedules/", body)["id"])

    def chain(self, *steps: dict[str, object]) -> str:
        """Create a chain with these steps and make the team's direct paging integration use it."""
        chain = self.server.call("POST", "escalation_chains/", {"name": "rota", "team_id": EMPTY_TEAM})["id"]
        for step in steps:
            self.server.call("POST", "escalation_policies/", {"escalation_chain_id": chain, **step})
        self.server.call("PATCH", f"integrations/{EMPTY_PAGING}/", {"default_route": {"escalation_chain_id": chain}})
        return str(chain)

    def around_the_clock(self) -> None:
        """Create a rota: Alice by day, Bob by night, nobody on Saturday night, and two hours of override by Dave."""
        days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        nights = [day for day in days if day != "SA"]
        times = {"duration": 43_200, **WEEKLY}
        self.chain(
            notify(
                self.schedule(
                    "around the clock",
                    self.shift(**times, by_day=days, start="2026-10-01T08:00:00", users=[ALICE]),
                    self.shift(**times, by_day=nights, start="2026-10-01T20:00:00", users=[BOB]),
                    self.shift(
                        type="override", start="2026-10-24T14:00:00", duration=7200, time_zone="UTC", users=[DAVE]
                    ),
                )
            )
        )


def notify(schedule: str) -> dict[str, object]:
    return {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": schedule}


def notify_people(*users: str) -> dict[str, object]:
    return {"type": "notify_persons", "persons_to_notify": list(users)}
