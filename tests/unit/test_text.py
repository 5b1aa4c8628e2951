import json

from hypothesis import given, strategies

from oncallctl.text import MASK, closest, dump_json, masked, visible

HOSTILE = {
    "osc 52": "\x1b]52;c;cHduZWQ=\x07",
    "osc 8": "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
    "csi": "\x1b[2J\x1b[31m",
    "c1": "\x9b31m",
    "bidi": "\u202egnp.exe",
    "newline": "one\ntwo\r\nthree",
    "tab": "a\tb",
    "separator": "a\u2028b\u2029c",
    "surrogate": "\ud800",
    "tag": "\U000e0041",
    "null": "\x00",
    "delete": "\x7f",
    "zero width": "pr\u200bo\u200cd\u200d \u2060\ufeff",
    "soft hyphen": "pr\u00adod",
    "grapheme joiner": "pr\u034fod",
    "hangul fillers": "\u115f\u1160\u3164\uffa0",
    "khmer vowels": "\u17b4\u17b5",
    "mongolian": "\u180b\u180e\u180f",
    "braille blank": "\u2800",
    "variation selectors": "a\ufe0f\ufe00\U000e0100",
    "joined letters": "a\u200db",
    "repeated selectors": "⚠\ufe0f\ufe0f",
}
INVISIBLE = set(
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u200c\u200d\u2060\u2800\u3164\ufeff\uffa0"
)


def test_visible_hostile_text_is_escaped() -> None:
    for text in HOSTILE.values():
        shown = visible(text)
        assert all(character.isprintable() and character not in INVISIBLE for character in shown), text
        assert "\ufe0f" not in shown.replace("⚠\ufe0f", ""), text
        assert shown != text, text
        shown.encode("utf-8")


def test_dump_json_hostile_text_is_escaped_and_reads_back() -> None:
    for text in HOSTILE.values():
        written = dump_json({"title": text})
        assert json.loads(written) == {"title": text}, text
        assert all(character.isprintable() and character not in INVISIBLE for character in written), text


def test_visible_ordinary_names_are_unchanged() -> None:
    for name in (
        "[prod] api",
        "🔥 fire-drill",
        "café-früh",
        "日本語 インテグレーション",
        "👩‍🚒",
        "⚠️ disk",
        "1️⃣ first",
        "100% cpu",
        "-dash",
    ):
        assert visible(name) == name
        assert name in dump_json([name])


SCALARS = strategies.text(max_size=20) | strategies.integers() | strategies.none()


@given(strategies.recursive(SCALARS, lambda inner: strategies.lists(inner, max_size=5), max_leaves=10))
def test_dump_json_any_value_reads_back(value: object) -> None:
    assert json.loads(dump_json(value)) == value
    assert json.loads(dump_json(value, indent=2)) == value


def test_masked_integration_links_are_hidden() -> None:
    integration = {"link": "http://x/abc/", "heartbeat": {"link": "http://x/hb/"}, "inbound_email": "a@b", "name": "n"}
    hidden = {"link": MASK, "heartbeat": {"link": MASK}, "inbound_email": MASK, "name": "n"}
    assert masked(integration) == hidden
    assert masked({"integration": integration, "mode": None}) == {"integration": hidden, "mode": None}
    assert integration["link"] == "http://x/abc/"


def test_masked_alert_payload_is_unchanged() -> None:
    group = {"id": "I1", "last_alert": {"payload": {"link": "https://runbook", "inbound_email": "a@b"}}}
    assert masked(group) == group


def test_masked_empty_links_stay_empty() -> None:
    assert masked({"link": None, "inbound_email": None}) == {"link": None, "inbound_email": None}


def test_closest_words_begin_with_the_word_or_are_alike() -> None:
    for word, expected in [
        ("check", ["checkout", "check-db"]),  # both begin with the word
        ("chekout", ["checkout"]),
        ("heckout", ["checkout"]),  # no common prefix, but alike
        ("CHECKOUT", ["checkout"]),
        ("q", []),
        ("", []),
    ]:
        assert sorted(closest(word, ["login", "checkout", "check-db", "kafka"])) == sorted(expected), word


def test_closest_words_with_the_longest_common_prefix_come_first() -> None:
    assert closest("serivce-01", ["device-01", "service-01", "service-02"])[0] == "service-01"
