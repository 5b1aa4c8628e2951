"""Server for the benchmark: responds from memory after a fixed delay, so that its own speed does not matter.

`python tests/bench/server.py [INTEGRATIONS [LIMIT]]` prints its URL and serves until stdin is closed. With a limit it
accepts that many requests per minute, and responds 429 to others.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections import deque
from urllib.parse import parse_qs, urlsplit

INTEGRATIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
LIMIT = int(sys.argv[2]) if len(sys.argv) > 2 else None
PAGE, MINUTE = 50, 60.0
PAGE_DELAY, START_DELAY = 0.020, 0.050  # seconds


def ident(number: int) -> str:
    """Return an ID in OnCall's form: a letter and twelve characters of A-Z and 1-9."""
    digits = "ABCDEFGHI"
    return "C" + "".join(digits[number // 9**place % 9] for place in range(12))


def integration(number: int) -> dict[str, object]:
    """Return an integration of about the size of a real one."""
    return {
        "id": ident(number),
        "name": f"service {number}",
        "description_short": None,
        "team_id": "TAAAAAAAAAAAA",
        "link": f"https://oncall.example.org/integrations/v1/webhook/{number}/",
        "inbound_email": None,
        "type": "webhook",
        "default_route": {"id": "R" + ident(number)[1:], "escalation_chain_id": None, "slack": {"enabled": True}},
        "templates": {"grouping_key": None, "slack": {"title": None, "message": None}, "web": {"title": None}},
        "heartbeat": None,
        "maintenance_mode": None,
        "maintenance_started_at": None,
        "maintenance_end_at": None,
        "labels": [],
    }


def pages(rows: list[dict[str, object]], size: int) -> list[bytes]:
    """Return the encoded result pages of a list."""
    total = max(1, -(-len(rows) // size))
    return [
        json.dumps(
            {
                "count": len(rows),
                "next": "http://elsewhere.invalid/?page=2" if page < total else None,
                "previous": None,
                "results": rows[(page - 1) * size : page * size],
                "page_size": size,
                "current_page_number": page,
                "total_pages": total,
            }
        ).encode()
        for page in range(1, total + 1)
    ]


TEAMS = pages([{"id": f"T{ident(n)[1:]}", "name": f"team {n}", "email": None} for n in range(40)], PAGE)
ALL = pages([integration(number) for number in range(INTEGRATIONS)], PAGE)
ROWS = {ident(number): integration(number) for number in range(INTEGRATIONS)}


class Served:
    """Counts of requests, and the time of the last result page."""

    def __init__(self) -> None:
        self.last_page_at = 0.0
        self.starts = 0
        self.refused = 0
        self._lately: deque[float] = deque()

    def wait(self) -> float | None:
        """Return the seconds until the next request is allowed, or None."""
        now = time.monotonic()
        while self._lately and self._lately[0] <= now - MINUTE:
            self._lately.popleft()
        if LIMIT is not None and len(self._lately) >= LIMIT:
            self.refused += 1
            return self._lately[0] + MINUTE - now
        self._lately.append(now)
        return None


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


async def respond(method: str, target: str, served: Served) -> bytes:
    """Return the body of the response to a request."""
    url = urlsplit(target)
    parts = url.path.strip("/").split("/")[2:]
    if parts == ["teams"]:
        return TEAMS[0]
    if parts == ["integrations"]:
        await asyncio.sleep(PAGE_DELAY)
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        if page >= len(ALL):
            served.last_page_at = time.time()
        return ALL[min(page, len(ALL)) - 1]
    if len(parts) == 2 and parts[1] in ROWS:
        return json.dumps(ROWS[parts[1]]).encode()
    if len(parts) == 3 and method == "POST":
        await asyncio.sleep(START_DELAY)
        served.starts += 1
        window = {
            "maintenance_mode": "silence_escalations",
            "maintenance_started_at": _time(time.time()),
            "maintenance_end_at": _time(time.time() + 3600),
        }
        return json.dumps({**ROWS[parts[1]], **window}).encode()
    if parts == ["served"]:
        return json.dumps(
            {"last_page_at": served.last_page_at, "starts": served.starts, "refused": served.refused}
        ).encode()
    return b'{"count": 0, "next": null, "previous": null, "results": [], "total_pages": 1}'


async def serve() -> None:
    """Serve until stdin is closed."""
    served = Served()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            method, target, _ = head.split(" ", 2)
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(fields.get("content-length", 0)))
            seconds = None if target.endswith("/served/") else served.wait()
            if seconds is None:
                status, body = b"200 OK", await respond(method, target, served)
            else:
                status = b"429 Too Many Requests\r\nRetry-After: %d" % math.ceil(seconds)
                body = b'{"detail": "Request was throttled."}'
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (status, len(body)) + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
