"""Hostile texts in files for other programs: the SVG of a rota, and handoffs in Markdown and for Slack."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from rich.markdown import Markdown

from tests.conftest import Runner
from tests.faults.hostile.lines import TEAM
from tests.faults.hostile.spoiling import MARK, OBEYED, TEXT, Spoiled, harmless

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "style", "defs", "pattern", "rect", "path", "g", "text"}
MARKUP = f"<script>alert(1)</script> ]]> --> &lt; &#27; \"' <a href='javascript:x'>l</a> {MARK} \ufffe\uffff"
MARKDOWN = {
    "inline": f"{MARK} **b** __b__ *i* _i_ ~~s~~ `c` [l](http://evil.example) ![i](http://evil.example) <b>h</b> |a|b|",
    "links": f"{MARK} <http://evil.example> [l][r] [r]: http://evil.example ](http://evil.example) <!channel> @here",
    "fences": f"``` {MARK} ````` ``",
    "backslashes": f"\\` {MARK} \\\\` \\",
    "blocks": f"# {MARK}\n\n## h\n- l\n1. n\n> q\n\n    code\n***\n```\nfence\n```\n",
    "heading": f"# {MARK}",
    "list": f"- {MARK}",
    "number": f"1. {MARK}",
    "everything": TEXT.replace(OBEYED["surrogate"], ""),
}
OURS = {"paragraph", "bullet_list", "list_item", "inline", "strong", "text", "code_inline", "link", "softbreak"}


@pytest.mark.promise("data")
@pytest.mark.parametrize("text", [TEXT, MARKUP], ids=["everything", "markup"])
def test_svg_with_hostile_names_has_only_its_own_elements_and_attributes(
    hostile: Spoiled, run: Runner, text: str
) -> None:
    hostile.text = text
    drawn = run(f"teams rota {TEAM} --svg -").stdout
    harmless(drawn)
    root = ET.fromstring(drawn)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= DRAWN
    assert not [value for element in root.iter() for value in element.attrib.values() if MARK in value]
    assert any(MARK in (element.text or "") for element in root.iter())


@pytest.mark.promise("data")
@pytest.mark.parametrize("text", MARKDOWN.values(), ids=MARKDOWN)
def test_handoff_with_hostile_names_has_only_its_own_markdown(hostile: Spoiled, run: Runner, text: str) -> None:
    hostile.text = text
    pasted = run(f"teams handoff {TEAM}").stdout
    harmless(pasted)
    assert MARK in pasted.replace("\\@", "@")
    tokens = [inner for token in Markdown(pasted).parsed for inner in (token, *(token.children or ()))]
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= OURS
    assert not [token.attrs["href"] for token in tokens if token.type == "link_open"], "the links are hostile here"
    strong = [after.content for token, after in pairwise(tokens) if token.type == "strong_open"]
    assert len(strong) == 4
    levels = {token.level for token in tokens if token.type == "list_item_open"}
    assert levels == {1}, "a list within a list"


@pytest.mark.promise("data")
@pytest.mark.parametrize("text", MARKDOWN.values(), ids=MARKDOWN)
def test_handoff_for_slack_with_hostile_names_formats_only_its_own_headings(
    hostile: Spoiled, run: Runner, text: str
) -> None:
    hostile.text = text
    pasted = run(f"teams handoff {TEAM} --format slack").stdout
    harmless(pasted)
    assert MARK in pasted
    for line in pasted.splitlines():
        assert line.count("`") % 2 == 0
        outside_code = "".join(line.split("`")[::2])
        heading = outside_code.startswith("*") and outside_code.endswith("*")
        assert not set("<>*_~@") & set(outside_code[1:-1] if heading else outside_code), line


@pytest.mark.promise("data")
@pytest.mark.parametrize(
    "text",
    ["https://evil.example/x", "see http://evil.example", "HTTPS://EVIL", "www.evil.example", "evil.example/login"],
)
def test_url_in_a_name_of_a_handoff_is_formatted_as_code(hostile: Spoiled, run: Runner, text: str) -> None:
    hostile.text = f"{MARK} {text}"
    pasted = run(f"teams handoff {TEAM}").stdout
    tokens = [inner for token in Markdown(pasted).parsed for inner in (token.children or ())]
    assert any(text in token.content for token in tokens if token.type == "code_inline")
    assert text not in "".join(token.content for token in tokens if token.type == "text")


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "http://x) [l](http://evil.example",
        "http://x\n# h",
        "https://x/> <http://evil.example",
        "data:text/html,x",
        "\x1b]8;;http://evil\x07",
        "http://[::1",
        "//evil.example",
    ],
)
def test_invalid_link_in_a_handoff_is_omitted(hostile: Spoiled, run: Runner, link: str) -> None:
    hostile.text = link
    pasted = run(f"teams handoff {TEAM}").stdout
    harmless(pasted)
    tokens = [inner for token in Markdown(pasted).parsed for inner in (token.children or ())]
    assert not [token for token in tokens if token.type == "link_open"]
