"""Reader of the exchanges recorded from the self-hosted engine: recordings/*.jsonl, one per line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Exchange:
    """A request and the engine's response.

    Attributes:
        case: name, as `file/name`.
        method: method of the request.
        path: escaped path of the request; may include a query.
        query: further query parameters.
        headers: headers of the request. `<token>` stands for an administrator's token, `<token-NAME>` for others.
        body: JSON body of the request. A string was sent verbatim, `{"__form__": …}` as a form. None means
            that the request has no body.
        status: status of the response.
        response_headers: headers of the response, with lower-case names.
        response_body: JSON or text of the response; an empty string means that it has no body.
    """

    case: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    status: int
    response_headers: dict[str, str]
    response_body: object

    @property
    def content(self) -> bytes | None:
        """The encoded body of the request."""
        if self.body is None:
            return None
        if isinstance(self.body, dict) and "__form__" in self.body:
            return urlencode(self.body["__form__"]).encode()
        # One string was sent as JSON. The others were sent verbatim: as invalid JSON or in another encoding.
        if isinstance(self.body, str) and self.case != "integrations/create_string_body":
            return self.body.encode("latin-1" if "latin-1" in self.headers["Content-Type"] else "utf-8")
        return json.dumps(self.body).encode()

    @property
    def content_type(self) -> str | None:
        """The content type of the request; an empty string is a header without a value."""
        if isinstance(self.body, dict) and "__form__" in self.body:
            return "application/x-www-form-urlencoded"
        return self.headers.get("Content-Type")


def load(*names: str) -> list[Exchange]:
    """Read the exchanges of files, named without suffix, in order."""
    return [
        _exchange(json.loads(line))
        for name in names
        for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def _exchange(line: dict[str, Any]) -> Exchange:
    request, response = line["request"], line["response"]
    return Exchange(
        case=line["case"],
        method=request["method"],
        path=request["path"],
        query={name: str(value) for name, value in request["query"].items()},
        headers=request["headers"],
        body=request["body"],
        status=response["status"],
        response_headers=response["headers"],
        response_body=response["body"],
    )
