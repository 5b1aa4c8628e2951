"""The token is masked in every form in which a server may echo it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from oncallctl.errors import OncallError
from oncallctl.text import MASK
from tests.unit.api.clock import RecordingListener
from tests.unit.api.conftest import TOKEN, OpenTransport
from tests.unit.api.wire import Wire, answer


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04X}" for character in text)


# The texts that a server has in its JSON, of which nothing may be left.
FORMS = {
    "as it is": TOKEN,
    "upper case": TOKEN.upper(),
    "percent-encoded": "".join(f"%{ord(character):02x}" for character in TOKEN),
    "percent-encoded twice": quote("".join(f"%{ord(character):02X}" for character in TOKEN)),
    "partly percent-encoded": TOKEN.replace("-", "%2D"),
    "JSON escapes as text": escaped(TOKEN),
    "hexadecimal escapes": "".join(f"\\x{ord(character):02x}" for character in TOKEN),
    "HTML entities": "".join(f"&#{ord(character)};" for character in TOKEN),
    "base64": base64.b64encode(TOKEN.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {TOKEN}".encode()).decode(),
    "cut off": TOKEN[:26],
    "cut off in upper case": TOKEN[:26].upper(),
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def assert_hidden(form: str, shown: str) -> None:
    assert MASK in shown
    assert form[14:26].lower() not in shown.lower(), "of base64, up to two characters of the token are left"
    assert form[-16:-4].lower() not in shown.lower()


@pytest.mark.promise("never-an-argument-printed-logged")
@forms
def test_error_does_not_show_the_token_in_any_form(
    form: str, transport_to: OpenTransport, listener: RecordingListener
) -> None:
    with Wire(answer(400, {"detail": f"bad token {form}"})) as wire, pytest.raises(OncallError) as caught:
        transport_to(wire.url).change("POST", "escalation/", {})
    assert_hidden(form, caught.value.message)
    assert form not in "\n".join(listener.debugs)


@pytest.mark.promise("never-an-argument-printed-logged")
@forms
def test_result_does_not_show_the_token_in_any_form(form: str, transport_to: OpenTransport) -> None:
    with Wire(answer(200, {"results": [{"name": f"<{form}>", f"key {form}": 1}], "id": "T1"})) as wire:
        document = transport_to(wire.url).read("teams/").document
    assert_hidden(form, json.dumps(document))
    assert document["id"] == "T1"
    assert document["results"][0]["name"].startswith("<")


def test_result_with_the_token_in_json_escapes_does_not_show_it(transport_to: OpenTransport) -> None:
    with Wire(answer(200, text=f'{{"name": "{escaped(TOKEN)}"}}', content_type="application/json")) as wire:
        assert transport_to(wire.url).read("teams/").document == {"name": MASK}


def test_token_truncated_at_the_end_of_a_message_is_masked(transport_to: OpenTransport) -> None:
    with Wire(answer(400, {"detail": "x" * (500 - 14) + TOKEN})) as wire, pytest.raises(OncallError) as caught:
        transport_to(wire.url).change("POST", "escalation/", {})
    assert TOKEN[:8] not in caught.value.message


@pytest.mark.parametrize("token", [TOKEN, "glsa_" + "Ab1" * 500, "a.b+c/d=" * 4, "\\" * 20])
def test_document_without_the_token_is_unchanged(token: str) -> None:
    from oncallctl.api.masking import TokenMask

    document = {"name": "100 % \\u0041 &#65; a-token glsa_ \\ / %41", "items": [1, None, True, {"a-token-tha": "no"}]}
    assert TokenMask(token).hide_in(document, json.dumps(document).encode()) == document


@pytest.mark.parametrize("text", ["\\", "%25", "&#0", "%", "a-token-"])
def test_adversarial_text_is_masked_in_linear_time(text: str) -> None:
    from oncallctl.api.masking import TokenMask

    mask, many = TokenMask(TOKEN), text * 100_000  # with quadratic time this would take an hour
    assert mask.hide(many) == many


def test_response_header_does_not_show_the_token(transport_to: OpenTransport) -> None:
    with Wire(answer(200, {"id": "T1"}, x_seen=f"token {TOKEN}")) as wire:
        transport = transport_to(wire.url)
        transport.read("teams/")
    assert transport.last_headers["x-seen"] == f"token {MASK}"
