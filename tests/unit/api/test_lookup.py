"""Lookup by name or ID, and the number of requests that it takes."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import INTEGRATIONS, TEAMS, USERS
from oncallctl.api.resources.integrations import Integration
from oncallctl.errors import Ambiguous, InvalidInput, NotFound, OncallError, Unavailable
from tests.unit.api.conftest import OpenOnCall

BASE = "https://oncall.test"
PLATFORM, DATA, GONE = "TPLATFORM1234", "TDATAINFRA123", "TGONE12345678"
UNKNOWN = "CUNKNOWN12345"


def integration(ident: str, name: str, team_id: str | None = None) -> dict[str, Any]:
    return {"id": ident, "name": name, "type": "webhook", "team_id": team_id}


class Engine:
    """A server that filters integrations by the exact name and records the requests."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.broken: set[str] = set()
        self.filters = True
        self.rows: dict[str, list[dict[str, Any]]] = {
            "integrations": [
                integration("CAPI123456789", "api", PLATFORM),
                integration("CAPIDATA12345", "api", DATA),
                integration("CAPINOTEAM123", "api"),
                integration("CUPPERCASE123", "Web Shop", PLATFORM),
                integration("CLOWERCASE123", "web shop", PLATFORM),
                integration("CSTRASSE12345", "Straße", DATA),
                integration("CIDNAME123456", "id:funny"),
                integration("CLOOKSLIKEID1", "CAPI123456789"),
                integration("CSPACE1234567", "trailing space "),
                integration("CNOSPACE12345", "trailing space"),
                integration("CBRACKETS1234", "[prod] api & co"),
                integration("CGONETEAM1234", "orphan", GONE),
                integration("CGONETEAM5678", "Orphan", GONE),
            ],
            "teams": [
                {"id": PLATFORM, "name": "platform"},
                {"id": DATA, "name": "Data Infra"},
                {"id": "TTWIN11111111", "name": "Twin"},
                {"id": "TTWIN22222222", "name": "twin"},
            ],
            "users": [
                {"id": "UALICE1234567", "username": "alice", "email": "alice@example.com"},
                {"id": "UBOB123456789", "username": "bob", "email": "bob@example.com"},
                {"id": "UBOBUPPER1234", "username": "Bob", "email": "bob@example.com"},
                {"id": "UNOMAIL123456", "username": "nomail", "email": None},
                {"id": "UMAILNAME1234", "username": "carol@example.com", "email": "c@example.com"},
            ],
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        noun, _, ident = request.url.path.removeprefix("/api/v1/").strip("/").partition("/")
        name = request.url.params.get("name")
        self.seen.append(f"{noun}/{ident}" if ident else f"{noun}?{name}" if name is not None else noun)
        if noun in self.broken:
            return httpx.Response(500)
        found = self.rows[noun]
        if ident:
            member = next((row for row in found if row["id"] == ident), None)
            return httpx.Response(200 if member else 404, json=member or {"detail": "Not found."})
        if name is not None and self.filters:  # the engine strips the name of the filter
            found = [row for row in found if row["name"] == name.strip()]
        return httpx.Response(200, json={"results": found, "next": None, "total_pages": 1})


@pytest.fixture
def engine(httpx_mock: HTTPXMock) -> Engine:
    made = Engine()
    httpx_mock.add_callback(made, is_reusable=True, is_optional=True)
    return made


@pytest.fixture
def oncall(oncall_at: OpenOnCall, engine: Engine) -> OnCall:
    assert engine.seen == []
    return oncall_at(BASE)


# Ids


@pytest.mark.parametrize("text", [PLATFORM, "TNOBODYHAS1T1", "id:whatever", "id:platform"])
def test_team_id_is_used_without_a_request(text: str, oncall: OnCall, engine: Engine) -> None:
    assert lookup.resolve(oncall, TEAMS, text) == Named(text.removeprefix("id:"), None)
    assert engine.seen == []


@pytest.mark.parametrize("text", ["UALICE1234567", "UNOBODYHAS1T1", "id:alice"])
def test_user_id_is_used_without_a_request(text: str, oncall: OnCall, engine: Engine) -> None:
    assert lookup.resolve(oncall, USERS, text) == Named(text.removeprefix("id:"), None)
    assert engine.seen == []


@pytest.mark.parametrize("text", ["CUPPERCASE123", "id:CUPPERCASE123"])
def test_integration_id_is_fetched_without_a_lookup(text: str, oncall: OnCall, engine: Engine) -> None:
    found = lookup.find(oncall.integrations, text)
    assert isinstance(found, Integration)
    assert (found.id, found.name) == ("CUPPERCASE123", "Web Shop")
    assert engine.seen == ["integrations/CUPPERCASE123"]


def test_unknown_id_is_not_looked_up_as_a_name(oncall: OnCall, engine: Engine) -> None:
    with pytest.raises(NotFound) as caught:
        lookup.find(oncall.integrations, UNKNOWN)
    assert caught.value.exit_code == 6
    assert engine.seen == [f"integrations/{UNKNOWN}"]


def test_text_with_a_prefix_letter_and_twelve_more_is_an_id() -> None:
    for text, is_id in [
        ("CFRPV98RPR1U8", True),
        ("TI73TDU19W48J", True),
        ("SSRMQV5P6Y64NXH", True),
        ("C" + "A" * 40, True),
        ("CFRPV98RPR1U", False),  # one short
        ("cfrpv98rpr1u8", False),
        ("CFRPV98RPR1U0", False),  # no 0 is in an id
        ("9FRPV98RPR1U8", False),  # it begins with a letter
        ("CFRPV98-RPR1U8", False),
        ("CFRPV98RPR1U8\n", False),
        (" CFRPV98RPR1U8", False),
        ("ÀFRPV98RPR1U8", False),
        ("name:CFRPV98RPR1U8", False),
        ("id:x", True),
    ]:
        word, read_as_id = lookup.split(text)
        assert read_as_id is is_id, text
        assert word == text.removeprefix("name:").removeprefix("id:"), text


# Names


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("web shop", "CLOWERCASE123"),
        ("Web Shop", "CUPPERCASE123"),
        ("[prod] api & co", "CBRACKETS1234"),
        ("Straße", "CSTRASSE12345"),
        ("name:id:funny", "CIDNAME123456"),
        ("name:CAPI123456789", "CLOOKSLIKEID1"),
    ],
)
def test_integration_with_the_exact_name_is_found_with_one_request(
    text: str, ident: str, oncall: OnCall, engine: Engine
) -> None:
    assert lookup.find(oncall.integrations, text).id == ident
    assert engine.seen == [f"integrations?{text.removeprefix('name:')}"]


@pytest.mark.parametrize(("text", "ident"), [("STRASSE", "CSTRASSE12345"), ("[PROD] API & CO", "CBRACKETS1234")])
def test_integration_without_an_exact_match_is_found_case_insensitively(
    text: str, ident: str, oncall: OnCall, engine: Engine
) -> None:
    assert lookup.find(oncall.integrations, text).id == ident
    assert engine.seen == [f"integrations?{text}", "integrations"]


def test_name_that_the_server_trims_is_found_exactly(oncall: OnCall, engine: Engine) -> None:
    assert lookup.find(oncall.integrations, "trailing space ").id == "CSPACE1234567"
    assert engine.seen == ["integrations?trailing space ", "integrations"]


def test_name_filter_that_the_server_ignores_matches_only_the_name(oncall: OnCall, engine: Engine) -> None:
    engine.filters = False
    assert lookup.find(oncall.integrations, "web shop").id == "CLOWERCASE123"
    with pytest.raises(NotFound):
        lookup.find(oncall.integrations, "zzzzzzzz")


@pytest.mark.parametrize(("text", "ident"), [("platform", PLATFORM), ("PLATFORM", PLATFORM), ("data infra", DATA)])
def test_team_name_is_found_with_one_request(text: str, ident: str, oncall: OnCall, engine: Engine) -> None:
    assert lookup.resolve(oncall, TEAMS, text).id == ident
    assert engine.seen == ["teams"]


@pytest.mark.parametrize(("noun", "part"), [(TEAMS, "plat"), (USERS, "alic")], ids=["team", "user"])
def test_part_of_a_name_is_not_found(noun: Noun, part: str, oncall: OnCall) -> None:
    with pytest.raises(NotFound):
        lookup.resolve(oncall, noun, part)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alice", Named("UALICE1234567", "alice")),
        ("ALICE", Named("UALICE1234567", "alice")),
        ("alice@example.com", Named("UALICE1234567", "alice")),
        ("Alice@Example.COM", Named("UALICE1234567", "alice")),
        ("bob", Named("UBOB123456789", "bob")),
        ("Bob", Named("UBOBUPPER1234", "Bob")),
        ("nomail", Named("UNOMAIL123456", "nomail")),
        ("carol@example.com", Named("UMAILNAME1234", "carol@example.com")),
    ],
)
def test_user_name_or_email_is_matched_exactly_first(text: str, found: Named, oncall: OnCall, engine: Engine) -> None:
    assert lookup.resolve(oncall, USERS, text) == found
    assert engine.seen == ["users"]


def test_names_of_several_teams_and_users_take_one_request_per_kind(oncall: OnCall, engine: Engine) -> None:
    for team in ("platform", "Data Infra", "platform"):
        lookup.resolve(oncall, TEAMS, team)
    for user in ("alice", "bob", "nomail"):
        lookup.resolve(oncall, USERS, user)
    assert engine.seen == ["teams", "users"]


def test_several_integrations_are_fetched_once_each_in_the_given_order(oncall: OnCall, engine: Engine) -> None:
    texts = ["web shop", "CAPI123456789", "Straße", "web shop", "CAPI123456789"]
    found = lookup.several(oncall.integrations, texts)
    assert [each.id for each in found] == [
        "CLOWERCASE123",
        "CAPI123456789",
        "CSTRASSE12345",
        "CLOWERCASE123",
        "CAPI123456789",
    ]
    assert sorted(engine.seen) == ["integrations/CAPI123456789", "integrations?Straße", "integrations?web shop"]


def test_names_in_another_case_share_one_fetch_of_the_list(oncall: OnCall, engine: Engine) -> None:
    found = lookup.several(oncall.integrations, ["STRASSE", "[PROD] API & CO"])
    assert [each.id for each in found] == ["CSTRASSE12345", "CBRACKETS1234"]
    assert engine.seen.count("integrations") == 1
    assert len(engine.seen) == 3


def test_several_with_an_unknown_name_are_not_found(oncall: OnCall) -> None:
    with pytest.raises(NotFound, match="'nothing like it'"):
        lookup.several(oncall.integrations, ["web shop", "nothing like it"])


# Ambiguous and unknown names


def test_ambiguous_name_lists_candidates_with_id_name_and_team(oncall: OnCall, engine: Engine) -> None:
    with pytest.raises(Ambiguous, match="3 integrations are called 'api'") as caught:
        lookup.find(oncall.integrations, "api")
    assert caught.value.exit_code == 6
    assert caught.value.hint == (
        "use an ID: CAPI123456789 (api, team platform); CAPIDATA12345 (api, team Data Infra); "
        "CAPINOTEAM123 (api, no team)"
    )
    assert engine.seen == ["integrations?api", "teams"]


def test_name_that_matches_two_in_other_cases_is_ambiguous(oncall: OnCall) -> None:
    with pytest.raises(Ambiguous) as caught:
        lookup.find(oncall.integrations, "WEB SHOP")
    assert "CUPPERCASE123 (Web Shop, team platform); CLOWERCASE123 (web shop, team platform)" in caught.value.hint
    with pytest.raises(Ambiguous) as caught:
        lookup.resolve(oncall, TEAMS, "TWIN")
    assert caught.value.hint == "use an ID: TTWIN11111111 (Twin); TTWIN22222222 (twin)"


def test_email_of_two_users_is_ambiguous(oncall: OnCall) -> None:
    with pytest.raises(Ambiguous, match=r"2 users are called 'bob@example\.com'") as caught:
        lookup.resolve(oncall, USERS, "bob@example.com")
    assert caught.value.hint == "use an ID: UBOB123456789 (bob); UBOBUPPER1234 (Bob)"


def test_candidate_of_an_unlisted_team_is_shown_with_the_team_id(oncall: OnCall) -> None:
    with pytest.raises(Ambiguous) as caught:
        lookup.find(oncall.integrations, "ORPHAN")
    assert f"CGONETEAM1234 (orphan, team {GONE})" in caught.value.hint


def test_ambiguous_name_is_reported_if_teams_cannot_be_fetched(oncall: OnCall, engine: Engine) -> None:
    engine.broken.add("teams")
    with pytest.raises(Ambiguous) as caught:
        lookup.find(oncall.integrations, "api")
    assert f"CAPI123456789 (api, team {PLATFORM})" in caught.value.hint


def test_long_list_of_candidates_is_abbreviated(oncall: OnCall, engine: Engine) -> None:
    engine.rows["integrations"] = [integration(f"CMANY1234567{letter}", "many") for letter in "ABCDEFGHIJKLM"]
    with pytest.raises(Ambiguous, match="13 integrations") as caught:
        lookup.find(oncall.integrations, "many")
    assert caught.value.hint.count("CMANY") == 10
    assert caught.value.hint.endswith(" and 3 more")


@pytest.mark.parametrize(
    ("noun", "text", "hint"),
    [
        (INTEGRATIONS, "web shpo", "did you mean 'web shop' or 'Web Shop'?"),
        (INTEGRATIONS, "zzzzzzzz", "oncallctl integrations list"),
        (INTEGRATIONS, "web*", "a pattern needs --match: oncallctl integrations list --match 'web*'"),
        (TEAMS, "platfrom", "did you mean 'platform'?"),
        (TEAMS, "zzzzzzzz", "oncallctl teams list"),
        (USERS, "nomial", "did you mean 'nomail'?"),
        (USERS, "alice@example.org", "'alice@example.com'"),
        (USERS, "zzzzzzzz", "oncallctl users list"),
    ],
)
def test_unknown_name_suggests_the_closest_names(noun: Noun, text: str, hint: str, oncall: OnCall) -> None:
    with pytest.raises(NotFound, match=re.escape(f"no {noun.singular} is called '{text}'")) as caught:
        lookup.resolve(oncall, noun, text)
    assert caught.value.exit_code == 6
    assert hint in caught.value.hint


def test_failed_list_is_unavailable_instead_of_not_found(oncall: OnCall, engine: Engine) -> None:
    engine.broken |= {"integrations", "teams", "users"}
    for noun in (INTEGRATIONS, TEAMS, USERS):
        with pytest.raises(Unavailable):
            lookup.resolve(oncall, noun, "platform")


def test_unknown_id_of_a_noun_without_names_is_not_reported_as_a_name(oncall: OnCall, engine: Engine) -> None:
    engine.rows["alerts"] = [{"id": "AKNOWN1234567"}]
    assert lookup.find(oncall.alerts, "AKNOWN1234567").id == "AKNOWN1234567"
    with pytest.raises(NotFound, match=r"^no alert AUNKNOWN12345$"):
        lookup.find(oncall.alerts, "AUNKNOWN12345")
    assert set(engine.seen) == {"alerts"}


# Hostile names


@pytest.mark.parametrize(
    "hostile", ["id:../users/current", "id:..", "id:a/b", "id:a?b=c", "id:a%2Fb", "id:a#b", "id:a b", "id:ä", "id:a\nb"]
)
def test_id_that_could_be_a_path_is_refused_unsent(hostile: str, oncall: OnCall, engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="not an ID") as caught:
        lookup.find(oncall.integrations, hostile)
    assert caught.value.exit_code == 2
    for resource in (oncall.teams, oncall.users, oncall.alert_groups):
        with pytest.raises(InvalidInput, match="not an ID"):
            resource.get(hostile.removeprefix("id:"))
    assert engine.seen == []


@pytest.mark.parametrize("hostile", ["../users/current", "a/b?c=d#e", "%2e%2e", "a\x00b", "x" * 5000])
def test_hostile_name_is_sent_as_a_query_parameter(hostile: str, oncall: OnCall, engine: Engine) -> None:
    with pytest.raises(NotFound):
        lookup.find(oncall.integrations, hostile)
    assert engine.seen == [f"integrations?{hostile}", "integrations"]


@pytest.mark.parametrize("empty", ["", " ", "\t\n", "id:", "name:", "name:  "])
def test_empty_name_is_refused_unsent(empty: str, oncall: OnCall, engine: Engine) -> None:
    for noun in (INTEGRATIONS, TEAMS, USERS):
        with pytest.raises(InvalidInput, match="empty"):
            lookup.resolve(oncall, noun, empty)
    assert engine.seen == []


@pytest.mark.parametrize("text", ["ID:platform", "names:platform", "url:platform"])
def test_other_word_before_a_colon_is_part_of_the_name(text: str, oncall: OnCall) -> None:
    with pytest.raises(OncallError, match=f"no team is called '{text}'"):
        lookup.resolve(oncall, TEAMS, text)


def test_named_object_is_shown_with_name_and_id() -> None:
    assert str(Named("T1", "platform")) == "platform (T1)"
    assert str(Named("T1", None)) == "T1"
