"""Checks the links of a site: each leads to a file of the site, and to an id in it."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "https://site.invalid/"


class Page(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Is called for each tag."""
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value)
            elif name in {"href", "src"} and dict(attrs).get("rel") != "canonical":
                self.links.append(value)


def check(site: Path) -> list[str]:
    """One line for each broken link. rustdoc has checked its own."""
    found = []
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if name == "404.html" or name.startswith("reference/rust/"):
            continue
        found += [
            f"{name}: broken link link={link}"
            for link in read(path).links
            if broken(site, name, link)
        ]
    return found


def broken(site: Path, page: str, link: str) -> bool:
    """Whether a link within the site leads nowhere."""
    target = urljoin(ORIGIN + page, link)
    if not target.startswith(ORIGIN):
        return False
    parts = urlsplit(target)
    path = site / unquote(parts.path.lstrip("/"))
    path = path / "index.html" if path.is_dir() else path
    if not path.is_file():
        return True
    return (
        bool(parts.fragment)
        and path.suffix == ".html"
        and unquote(parts.fragment) not in read(path).ids
    )


@cache
def read(path: Path) -> Page:
    """The page in a file, which is read once."""
    return Page(path.read_text(encoding="utf-8"))
