"""Tests of what prepares the pages of the manual for the site."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "manual"))

import build
import links
import pages


def prepared(text: str) -> str:
    return "".join(pages.parts(text))


PYTHON = "```python\nif one:\n\n    two()\n```"
NODE = "```js\none();\n```"


def test_adjacent_examples_in_several_languages_become_tabs() -> None:
    assert prepared(f"Before.\n\n{PYTHON}\n\n{NODE}\n\nAfter.\n") == (
        'Before.\n\n=== "Python"\n\n    ```python\n    if one:\n\n        two()\n    ```\n\n'
        '=== "Node"\n\n    ```js\n    one();\n    ```\n\n\n\nAfter.\n'
    )


@pytest.mark.parametrize(
    "text",
    [f"{PYTHON}\n\nIn Node:\n\n{NODE}\n", f"{PYTHON}\n\n{PYTHON}\n", f"{NODE}\n\n```sh\nls\n```\n"],
    ids=["text between", "one language", "a shell"],
)
def test_other_examples_stay_as_they_are(text: str) -> None:
    assert "===" not in prepared(text)
    assert prepared(text).split() == text.split()


def test_a_table_of_options_in_two_languages_becomes_tabs() -> None:
    table = (
        "| Python | default | Node | default | what |\n|---|---|---|---|---|\n"
        "| `a_b` | `None \\| 1` | `aB` | `0` | it |\n"
    )
    assert pages.in_tabs(f"Before.\n\n{table}\nAfter.\n") == (
        'Before.\n\n=== "Python"\n\n    | Python | default | what |\n    | --- | --- | --- |\n'
        "    | `a_b` | `None \\| 1` | it |\n\n"
        '=== "Node"\n\n    | Node | default | what |\n    | --- | --- | --- |\n'
        "    | `aB` | `0` | it |\n\n\nAfter.\n"
    )
    assert pages.in_tabs("| Python | Node |\n|---|---|\n") == "| Python | Node |\n|---|---|\n"


def test_words_for_the_tests_are_left_out() -> None:
    assert prepared("```js vitest\none();\n```").strip() == "```js\none();\n```"
    assert prepared("```rust,no_run\none();\n```").strip() == "```rust\none();\n```"


@pytest.mark.parametrize(
    ("page", "target", "moved"),
    [
        ("docs/web.md", "errors.md#codes", "errors.md#codes"),
        ("docs/frameworks/flask.md", "../../SECURITY.md", "../threat-model.md"),
        ("README.md", "docs/index.md#guides", "contents.md#guides"),
        ("docs/web.md", "#options", "#options"),
        ("docs/benchmarks.md", "benchmarks/sites.svg", "benchmarks/sites.svg"),
        ("docs/web.md", "../Makefile", f"{pages.REPOSITORY}/blob/main/Makefile"),
        ("docs/web.md", "../core", f"{pages.REPOSITORY}/tree/main/core"),
    ],
)
def test_links_lead_to_the_place_on_the_site(page: str, target: str, moved: str) -> None:
    assert pages.moved(page, target) == moved


def test_a_link_to_nothing_is_an_error() -> None:
    with pytest.raises(SystemExit, match=r"docs/web\.md: nothing is there link=nowhere\.md"):
        pages.moved("docs/web.md", "nowhere.md")


def test_every_page_of_the_manual_is_in_the_navigation() -> None:
    headings = [next(iter(entry)) for entry in build.navigation()]
    assert headings == [
        "Home",
        "Start",
        "Guides by framework",
        "Reference",
        "Operations",
        "Security",
        "Internals",
    ]


def test_a_page_that_is_not_in_the_index_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**pages.pages(), "docs/new.md": "new.md"}
    monkeypatch.setattr(pages, "pages", lambda: known)
    with pytest.raises(SystemExit, match=r"pages=\['new\.md'\]"):
        build.navigation()


def test_broken_links_of_the_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/index.html").write_text('<h1 id="top">A</h1><img src="../no.svg">')
    (tmp_path / "index.html").write_text(
        '<a href="a/#top">1</a><a href="a/#no">2</a><a href="b/">3</a><a href="https://x.test/">4</a>'
    )
    assert links.check(tmp_path) == [
        "a/index.html: broken link link=../no.svg",
        "index.html: broken link link=a/#no",
        "index.html: broken link link=b/",
    ]
