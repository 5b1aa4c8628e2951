"""Markup of texts to paste or post: Markdown, Slack's mrkdwn, and plain text.

Text from the server is escaped, so that it is never interpreted as markup.
"""

from __future__ import annotations

import re
from typing import Protocol

from oncallctl.text import caption

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~@])")
_LIST = re.compile(r"^(\d*)([-.])")  # a name such as "1. api" would start a list
_ADDRESS = re.compile(r"://|\bwww\.|\bmailto:|[^\W_]\.[^\W\d_]{2,}", re.IGNORECASE)
_SLACK = re.compile(r"[*_~`@#:]|^\s*[>•-]")
_LINK = re.compile(r"https?://[\w:/.?=&%#~+,;-]+")


class Markup(Protocol):
    """A way to format text."""

    bullet: str

    def bold(self, text: str) -> str:
        """Return bold text; the text is already formatted."""

    def plain(self, text: str) -> str:
        """Return text from the server, escaped so that it is shown literally."""

    def code(self, text: str) -> str:
        """Return text as inline code, which chats do not interpret."""

    def link(self, text: str, url: object) -> str:
        """Return a link; only the text if `is_link` is False for the URL."""


class Markdown:
    """Markdown. Text with an address becomes code, since chats turn bare addresses into links."""

    bullet = "- "

    def bold(self, text: str) -> str:
        """Return bold text."""
        return f"**{text}**"

    def plain(self, text: str) -> str:
        """Return text with Markdown escaped."""
        if _ADDRESS.search(text):
            return self.code(text.strip())
        return _LIST.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", caption(text.strip())))

    def code(self, text: str) -> str:
        """Return inline code, between more backticks than the text has in a row."""
        content = caption(text)
        fence = "`" * (max((len(run) for run in re.findall("`+", content)), default=0) + 1)
        return f"{fence} {content} {fence}" if "`" in content else f"{fence}{content}{fence}"

    def link(self, text: str, url: object) -> str:
        """Return a link."""
        return f"[{self.plain(text)}]({url})" if is_link(url) else self.plain(text)


class Slack:
    """Slack's mrkdwn, for webhooks and the API. It has no escapes but for `&`, `<` and `>`."""

    bullet = "• "

    def bold(self, text: str) -> str:
        """Return bold text."""
        return f"*{text}*"

    def plain(self, text: str) -> str:
        """Return text, as code if it has an address or a character that formats."""
        if _ADDRESS.search(text) or _SLACK.search(text):
            return self.code(text.strip())
        return _entities(caption(text.strip()))

    def code(self, text: str) -> str:
        """Return inline code. Backticks, which would end it, become apostrophes."""
        return f"`{_entities(caption(text)).replace('`', chr(0x2019))}`"

    def link(self, text: str, url: object) -> str:
        """Return a link."""
        return f"<{_entities(str(url))}|{_entities(caption(text))}>" if is_link(url) else self.plain(text)


class PlainText:
    """Text without markup."""

    bullet = "- "

    def bold(self, text: str) -> str:
        """Return the text."""
        return text

    def plain(self, text: str) -> str:
        """Return text with control characters escaped."""
        return caption(text.strip())

    def code(self, text: str) -> str:
        """Return text in quotes, with control characters escaped."""
        return f'"{caption(text)}"'

    def link(self, text: str, url: object) -> str:
        """Return the text and the URL."""
        return f"{self.plain(text)} {url}" if is_link(url) else self.plain(text)


def is_link(url: object) -> bool:
    """True if a value is an HTTP URL without characters that could end a link."""
    return isinstance(url, str) and _LINK.fullmatch(url) is not None


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
