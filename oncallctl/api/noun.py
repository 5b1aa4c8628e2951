"""A kind of object that the API serves, as `oncallctl.api.nouns` declares each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Verb = Literal["create", "update", "delete"]

ALL_WRITES: tuple[Verb, ...] = ("create", "update", "delete")


def field_of(document: Mapping[str, Any], path: str) -> str | None:
    """Return the text at a dotted path, or None if the path does not exist."""
    value: object = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None


class Link(NamedTuple):
    """A field that holds the ID of another object, or a list of IDs.

    Attributes:
        field: the field.
        shown: the field that tables get in addition: ``{"id", "name"}`` for an ID, the names in one text for a list.
        noun: the kind of the other objects.
    """

    field: str
    shown: str
    noun: Noun

    def ids(self, row: Mapping[str, Any]) -> list[str]:
        """Return the IDs that a row has in the field."""
        value = row.get(self.field)
        return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]

    def resolved(self, row: Mapping[str, Any], names: Mapping[str, str]) -> object:
        """Return the value of the additional field; an ID replaces an unknown name."""
        value = row.get(self.field)
        if isinstance(value, list):
            return ", ".join(names.get(ident, ident) for ident in self.ids(row))
        return {"id": value, "name": names.get(value, value)} if isinstance(value, str) else None


class ListFilter(NamedTuple):
    """An option of `list` that becomes a query parameter.

    Attributes:
        option: the option, without dashes.
        parameter: the query parameter.
        noun: the kind of object that the option names; None for a flag.
    """

    option: str
    parameter: str
    noun: Noun | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Noun:
    """A kind of object.

    Attributes:
        name: the name on the command line, in the plural; the path of the API is the same with underscores.
        summary: the text in the help of the program.
        columns: header -> dotted path, for tables and csv. A field that the server's object lacks must be added by
            `described`; see ``commands/generic.py``.
        metavar: the name of an argument of this kind, as the help shows it.
        id_field: the field that holds the ID.
        title: the dotted path of the name; None if objects are identified by ID only.
        caption: the field that describes an object without a name in prompts and reports.
        more_names: further fields that identify an object, such as the email address of a user.
        links: the fields that hold IDs of other objects.
        team_field: the field that holds the ID of the team; empty if objects belong to no team.
        filters: the options of `list` that the server evaluates.
        has_name_filter: True if the list has an exact filter ``name``, and is too long to be read for one object.
        has_get: False if the API has no request for a single object, so that it is taken from the list.
        own_only: True if the API has only the object of the caller and returns it for any ID.
        cloud_list: True if only Cloud has the list.
        needs_user_token: True if a self-hosted engine refuses service account tokens for these objects.
        writes: the changes that the API allows.
        write_role: the role that a self-hosted engine requires for changes.
        note_on_delete: a side effect or a limit of deleting an object, for the help.
        read_in_full: True if there are few objects, so that names are looked up in the complete list.
        cached: True if names are cached for completion.
        has_secrets: True if `masked` hides fields of these objects outside json and jsonl.
        sample: the name or ID of an object in the sandbox, for the examples in the help.
        sample_create: the JSON object of an example that creates one; empty if the example copies `sample`.
        sample_update: the JSON object of an example that updates `sample`.
        typed: True if a module of ``api/resources`` has a class for the collection.
    """

    name: str
    summary: str
    columns: Mapping[str, str]
    metavar: str = "ID"
    id_field: str = "id"
    title: str | None = "name"
    caption: str = ""
    more_names: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    team_field: str = ""
    filters: tuple[ListFilter, ...] = ()
    has_name_filter: bool = False
    has_get: bool = True
    own_only: bool = False
    cloud_list: bool = False
    needs_user_token: bool = False
    writes: tuple[Verb, ...] = ()
    write_role: str = "admin"
    note_on_delete: str = ""
    read_in_full: bool = True
    cached: bool = False
    has_secrets: bool = False
    sample: str = ""
    sample_create: str = ""
    sample_update: str = ""
    typed: bool = False
    path: str = field(init=False)

    def __post_init__(self) -> None:
        """Derive the path."""
        object.__setattr__(self, "path", self.name.replace("-", "_"))

    def __repr__(self) -> str:
        """Return the name only: with linked nouns, all fields take several screens in the report of a failed test."""
        return f"<Noun {self.name}>"

    @property
    def plural(self) -> str:
        """The name in running text."""
        return self.name.replace("-", " ")

    @property
    def singular(self) -> str:
        """The name of one object in running text."""
        return f"{self.plural[:-3]}y" if self.plural.endswith("ies") else self.plural.removesuffix("s")

    def names_of(self, document: Mapping[str, Any]) -> list[str]:
        """Return the names that identify an object, its title first."""
        paths = (self.title, *self.more_names) if self.title else ()
        return [name for path in paths if (name := field_of(document, path))]

    def titles(self, documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Return ID -> title of the objects that have one."""
        found = ((field_of(each, self.id_field), field_of(each, self.title or "")) for each in documents)
        return {ident: title for ident, title in found if ident and title}
