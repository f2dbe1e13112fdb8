"""Prepares the pages of the manual for the site: links, tabs and navigation.

The pages are plain Markdown, which is read in the repository as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/portier/portier-client"

# Pages with another place on the site than below `docs`.
PLACES = {
    "README.md": "index.md",
    "docs/index.md": "contents.md",
    "SECURITY.md": "threat-model.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
LANGUAGES = {"python": "Python", "js": "Node", "ts": "Node", "rust": "Rust"}

FENCE = re.compile(r"^```(?P<info>.*)\n(?P<code>(?:.*\n)*?)```$", flags=re.MULTILINE)
TABLE = re.compile(
    r"^\| Python \| default \| Node \| default \|.*\n(?:\|.*\n)+", flags=re.MULTILINE
)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:)[^)\s]+")


def pages() -> dict[str, str]:
    """The pages in the repository with their places on the site."""
    manual = (path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))
    below = {name: name.removeprefix("docs/") for name in sorted(manual)}
    return {**below, **PLACES}


def staged(name: str) -> str:
    """The text of a page for the site."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return "".join(
        part
        if part.startswith(("```", "==="))
        else in_tabs(LINK.sub(lambda link: moved(name, link[0]), part))
        for part in parts(text)
    )


def moved(page: str, target: str) -> str:
    """A link of a page to another page of the site, or to the repository."""
    path, mark, anchor = target.partition("#")
    if not path:
        return target
    linked = Path(os.path.normpath(ROOT / Path(page).parent / path))
    if not linked.exists():
        raise SystemExit(f"{page}: nothing is there link={target}")
    name = linked.relative_to(ROOT).as_posix()
    known = pages()
    if name in known:
        here = PurePosixPath(known[page]).parent
        return os.path.relpath(known[name], here) + mark + anchor
    if name.startswith("docs/"):  # a picture or another file beside the pages
        return target
    return f"{REPOSITORY}/{'tree' if linked.is_dir() else 'blob'}/main/{name}{mark}{anchor}"


def parts(text: str) -> Iterator[str]:
    """The text between code blocks, and code blocks; those of several languages become tabs."""
    blocks = list(FENCE.finditer(text))
    end = 0
    while blocks:
        group = [blocks.pop(0)]
        while blocks and not text[group[-1].end() : blocks[0].start()].strip():
            group.append(blocks.pop(0))
        yield text[end : group[0].start()]
        yield from tabs(group)
        end = group[-1].end()
    yield text[end:]


def tabs(group: list[re.Match[str]]) -> Iterator[str]:
    """Adjacent code blocks, in tabs if each has another language."""
    names = [LANGUAGES.get(language(block)) for block in group]
    if len(group) > 1 and None not in names and len(set(names)) == len(names):
        for name, block in zip(names, group, strict=True):
            code = re.sub(r"^(?=.)", "    ", fenced(block), flags=re.MULTILINE)
            yield f'=== "{name}"\n\n{code}\n\n'
    else:
        for block in group:
            yield f"{fenced(block)}\n\n"


def in_tabs(text: str) -> str:
    """A table of options with a column of names and defaults for each language, in tabs."""
    return TABLE.sub(lambda table: "".join(tables(table)), text)


def tables(table: re.Match[str]) -> Iterator[str]:
    """The table for each language."""
    rows = [re.split(r" *(?<!\\)\| *", row)[1:-1] for row in table[0].splitlines()]
    for number, language in enumerate(("Python", "Node")):
        lines = [f"    | {' | '.join([*row[2 * number :][:2], row[-1]])} |\n" for row in rows]
        yield f'=== "{language}"\n\n{"".join(lines)}\n'


def fenced(block: re.Match[str]) -> str:
    """A code block with the language only; further words are for the tests."""
    return f"```{language(block) or 'text'}\n{block['code']}```"


def language(block: re.Match[str]) -> str:
    """The language of a code block."""
    return re.split(r"[ ,]", block["info"])[0]


def navigation() -> list[tuple[list[str], str, str]]:
    """The headings, the title and the place of each page, in the order of `docs/index.md`."""
    entries = []
    headings: list[str] = []
    for line in (ROOT / "docs/index.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"(##+) (.+)", line):
            headings = [*headings[: len(heading[1]) - 2], heading[2]]
        for title, target in re.findall(r"\[([^]]+)\]\(([^)#\s]+\.md)\)", line):
            name = os.path.normpath(f"docs/{target}")
            entries.append((headings, title.strip("`"), pages()[name]))
    return entries
