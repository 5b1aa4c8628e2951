"""Collections of the API. A declaration says which rows are served, as which JSON, and which writes are accepted.

A collection that can only be read needs a path and a view; `resources/slack.py` has examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from oncallctl.sandbox import ordering, rows
from oncallctl.sandbox.ids import new_id
from oncallctl.sandbox.pagination import page_of
from oncallctl.sandbox.requests import ApiPath, ApiRequest, Endpoint, ServiceAccounts
from oncallctl.sandbox.responses import EMPTY_BODY, SandboxResponse, not_found

if TYPE_CHECKING:
    from oncallctl.sandbox.requests import Handler

Json = dict[str, Any]

ID_PATTERN = "([^/.]+)"


@dataclass(frozen=True, kw_only=True)
class Writes:
    """The writes that a collection accepts; PUT is handled as PATCH, as the engine does.

    Attributes:
        role: the lowest role that may write.
        id_prefix: the letters that a new ID begins with.
        columns: returns the columns to store for a request and the row to change, or None for a new row. The column
            `position` is not stored but moves the row among its siblings.
        siblings: the columns that siblings have in common; each group of siblings has an order of its own. Empty if
            the rows have no order.
        after: called with each written row, to update other tables.
        delete: deletes a row.
    """

    role: str
    id_prefix: str
    columns: Callable[[ApiRequest, Row | None], Json]
    siblings: Sequence[str] = ()
    after: Callable[[ApiRequest, Row], None] | None = None
    delete: Callable[[ApiRequest, Row], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A collection of the API.

    Attributes:
        path: the path below /api/v1/.
        view: returns the JSON of a row.
        list_view: returns the JSON of a row in the list, if it differs.
        table: the table; named like the path by default.
        select: a query that yields the rows, for columns of other tables; all of the table by default.
        order_by: the order of the list.
        filters: an SQL condition for each query parameter, with the value as `:value`. An empty value is no filter.
        filters_even_if_empty: the parameters whose empty value does filter.
        narrow: filters the rows further.
        page_size: the default page size.
        has_get: True if single objects have a path.
        writes: the writes; None for a read-only collection.
        member_methods: further methods of the path of single objects.
        service_accounts: how service accounts are treated.
    """

    path: str
    view: Callable[[ApiRequest, Row], Json]
    list_view: Callable[[ApiRequest, Row], Json] | None = None
    table: str = ""
    select: str = ""
    order_by: str = "position"
    filters: Mapping[str, str] = field(default_factory=dict)
    filters_even_if_empty: frozenset[str] = frozenset()
    narrow: Callable[[ApiRequest, list[Row]], list[Row]] | None = None
    page_size: int = 50
    has_get: bool = True
    writes: Writes | None = None
    member_methods: Mapping[str, Endpoint] = field(default_factory=dict)
    service_accounts: ServiceAccounts = "allowed"

    def paths(self) -> tuple[ApiPath, ...]:
        """Return the paths of the list and of single objects, with their endpoints."""
        listing, member = {"GET": self._endpoint(self._list)}, {"GET": self._endpoint(self._get)}
        if self.writes is not None:
            listing["POST"] = self._writing_endpoint(self._create, self.writes)
            member["PUT"] = member["PATCH"] = self._writing_endpoint(self._update, self.writes)
            member["DELETE"] = self._writing_endpoint(self._delete, self.writes)
        paths = (ApiPath(self.path, listing), ApiPath(f"{self.path}/{ID_PATTERN}", member | dict(self.member_methods)))
        return paths if self.has_get else paths[:1]

    def find(self, request: ApiRequest) -> Row:
        """Return the row with the ID in the path, if it passes the filters of the query.

        Raises:
            HttpError: 404.
        """
        for row in self._matching(request, {"id = :value": request.ids[0]}):
            return row
        raise not_found()

    def _endpoint(self, handler: Handler) -> Endpoint:
        return Endpoint(handler, service_accounts=self.service_accounts)

    def _writing_endpoint(self, handler: Callable[[Writes, ApiRequest], SandboxResponse], writes: Writes) -> Endpoint:
        return Endpoint(partial(handler, writes), writes.role, self.service_accounts)

    @property
    def _table(self) -> str:
        return self.table or self.path

    def _matching(self, request: ApiRequest, conditions: Mapping[str, str] | None = None) -> list[Row]:
        values: dict[str, str] = {}
        where = ["TRUE"]
        given = {
            condition: request.http.args[name]
            for name, condition in self.filters.items()
            if request.http.args.get(name) or (name in self.filters_even_if_empty and name in request.http.args)
        }
        for number, (condition, value) in enumerate((given | dict(conditions or {})).items()):
            where.append(f"({condition.replace(':value', f':value{number}')})")
            values[f"value{number}"] = value
        source = self.select or f"SELECT * FROM {self._table}"  # noqa: S608 - names of this package
        query = f"SELECT * FROM ({source}) WHERE {' AND '.join(where)} ORDER BY {self.order_by}"  # noqa: S608 - the same
        found = request.db.execute(query, values).fetchall()
        return found if self.narrow is None else self.narrow(request, found)

    def _list(self, request: ApiRequest) -> SandboxResponse:
        view = self.list_view or self.view
        return page_of(request, self._matching(request), lambda row: view(request, row), size=self.page_size)

    def _get(self, request: ApiRequest) -> SandboxResponse:
        return SandboxResponse(self.view(request, self.find(request)))

    def _create(self, writes: Writes, request: ApiRequest) -> SandboxResponse:
        columns = writes.columns(request, None)
        position = columns.pop("position", None)
        row_id = new_id(writes.id_prefix)
        if writes.siblings:
            columns["position"] = ordering.last(self._siblings(writes, request, columns))
        rows.insert(request.db, self._table, {"id": row_id, **columns})
        return SandboxResponse(self._written(writes, request, row_id, position), 201)

    def _update(self, writes: Writes, request: ApiRequest) -> SandboxResponse:
        row = self.find(request)
        columns = writes.columns(request, row)
        position = columns.pop("position", None)
        rows.update(request.db, self._table, row["id"], columns)
        return SandboxResponse(self._written(writes, request, row["id"], position))

    def _written(self, writes: Writes, request: ApiRequest, row_id: str, position: int | None) -> Json:
        """Move a written row, run the hook, and return the JSON of the row."""
        row = rows.existing(request.db, self._table, row_id)
        if position is not None:
            ordering.move(request.db, self._table, row_id, position, self._siblings(writes, request, row))
        if writes.after is not None:
            writes.after(request, row)
        return self.view(request, rows.existing(request.db, self._table, row_id))

    def _delete(self, writes: Writes, request: ApiRequest) -> SandboxResponse:
        row = self.find(request)
        if writes.delete is None:
            rows.delete(request.db, self._table, row["id"])
        else:
            writes.delete(request, row)
        return SandboxResponse(EMPTY_BODY, 204)

    def _siblings(self, writes: Writes, request: ApiRequest, row: Row | Json) -> list[Row]:
        conditions = " AND ".join(f"{name} = ?" for name in writes.siblings)
        query = f"SELECT * FROM {self._table} WHERE {conditions}"  # noqa: S608 - names of this package
        return request.db.execute(query, [row[name] for name in writes.siblings]).fetchall()
