"""Checks the README and the manual: examples run, tables are complete, links have a target."""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import json
import re
import secrets
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings, settings

import portier_client
from portier_client import Client, tornado
from portier_client.testing import DevBroker
from portier_client.web import LoginFlow

from .examples import examples_in, literal_blocks_in, section_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

ROOT = Path(__file__).resolve().parents[2]
# The source distribution has no files of Node, and not all that the manual links to.
IS_REPOSITORY = (ROOT / "node").exists()
PACKAGES = [ROOT / "python/README.md", *([ROOT / "node/README.md"] if IS_REPOSITORY else [])]
# Examples in JavaScript are executed by `node/tests/package/documentation.test.mjs`.
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *PACKAGES])
# Their examples are projects: `tests/django/test_manual.py` and `tests/testing/test_manual.py` make
# them.
EXECUTED = [page for page in PAGES if page.name not in {"django.md", "testing-python.md"}]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    with DevBroker(mode="accept") as broker:
        yield broker


@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_examples_of_the_manual_run(
    page: Path, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of a page run in order and share their names, like in one file."""
    # They use the public broker; here the development broker answers.
    monkeypatch.setenv("SESSION_SECRET", secrets.token_urlsafe(32))
    local = partial(Client, broker=broker.origin)
    monkeypatch.setattr(portier_client, "Client", local)
    if settings.configured:  # by the tests of the app for Django
        monkeypatch.setattr(LazySettings, "configure", lambda _: None)
    run(examples_in(page.read_text(encoding="utf-8"), str(page)))


def test_the_json_logging_of_the_manual_writes_one_line_for_each_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    run(examples_in(section_of(page, "Logging"), "operations.md"))
    assert json.loads(capsys.readouterr().out) == {
        "level": "INFO",
        "event": "login refused",
        "operation": "complete",
        "code": "token_malformed",
        "error": "the token is not three parts of base64url with dots between",
    }


def test_examples_of_the_tornado_handlers_run() -> None:
    run(literal_blocks_in(tornado.__doc__ or "", "tornado.py"))
    assert doctest.testmod(tornado).failed == 0


def run(examples: Iterator[CodeType]) -> None:
    # Frameworks look up annotations in the module of a function.
    module = sys.modules["example"] = ModuleType("example")
    # The site of a page is `app.py`; tests import it.
    sys.modules["app"] = module
    names = vars(module)

    async def in_order() -> None:
        for code in examples:
            outcome = eval(code, names)
            if inspect.isawaitable(outcome):
                await outcome

    try:
        asyncio.run(in_order())
    finally:
        del sys.modules["example"], sys.modules["app"]


FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def test_the_site_of_the_manual_without_a_framework_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = run_section("docs/web.md", "Any other server", broker, monkeypatch)

    async def log_in() -> tuple[int, list[tuple[str, str]], str]:
        _, headers, _ = await names["login"]("POST", FORM, b"email=Alice%40Example.com&next=/a")
        cookie = dict(headers)["set-cookie"].partition(";")[0]
        query = urlencode(broker.sign_in(dict(headers)["location"]))
        return await names["verify"]("GET", query, {"Cookie": cookie}, b"")  # type: ignore[no-any-return]

    status, headers, _ = asyncio.run(log_in())
    assert (status, dict(headers)["location"]) == (303, "/a")
    cookies = [value.partition("=")[0] for name, value in headers if name == "set-cookie"]
    assert cookies == ["__Host-session", "__Host-portier-signed-in"]
    assert [*names["sessions"].values()] == ["alice@example.com"]


def run_section(
    page: str, heading: str, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The names that the examples of a section define, with the development broker."""
    monkeypatch.setattr(portier_client, "Client", partial(Client, broker=broker.origin))
    names: dict[str, Any] = {}
    text = (ROOT / page).read_text(encoding="utf-8")
    for code in examples_in(section_of(text, heading), page):
        exec(code, names)
    return names


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_have_a_target(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("https://", "http://")):
            continue
        place, _, anchor = target.partition("#")
        linked = (page.parent / place).resolve() if place else page
        if not linked.exists() and not IS_REPOSITORY:
            continue
        assert linked.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{name_of(page)} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_error_code_is_documented_under_its_class() -> None:
    source = (ROOT / "core/src/error.rs").read_text(encoding="utf-8")
    written = dict(re.findall(r'= "(\w+)" in (\w+),', source))
    assert written
    documented = {}
    for section in (ROOT / "docs/errors.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        heading = re.match(r"`(\w+)`", section)
        assert heading
        for code in re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE):
            documented[code] = heading[1]
    assert documented == written


def test_every_option_is_documented_with_its_default() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", page, flags=re.MULTILINE))
    options = {
        name: parameter.default
        for name, parameter in inspect.signature(Client).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert {name: ast.literal_eval(text) for name, text in documented.items()} == options


def test_every_option_of_the_flow_is_documented_for_both_languages() -> None:
    page = (ROOT / "docs/web.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section_of(page, "Options"), flags=re.MULTILINE)
    options = [
        name
        for name, parameter in inspect.signature(LoginFlow).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    assert [name for name, _ in rows] == options
    for name, in_node in rows:
        assert in_node == re.sub(r"_(.)", lambda letter: letter[1].upper(), name)


def test_every_problem_is_documented_with_its_status() -> None:
    source = (ROOT / "core/src/web/problem.rs").read_text(encoding="utf-8")
    written = dict(re.findall(r'= "(\w+)", (\d+);', source))
    assert written
    page = (ROOT / "docs/web.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", section_of(page, "Problems"), flags=re.MULTILINE)
    assert dict(rows) == written


def test_every_text_of_a_page_is_documented() -> None:
    source = (ROOT / "core/src/web/texts.rs").read_text(encoding="utf-8")
    written = set(re.findall(r'= "((?:page|confirm|post|fragment)\.\w+)"', source))
    assert written
    page = (ROOT / "docs/web.md").read_text(encoding="utf-8")
    rows = re.findall(r"`(\w+\.\w+)`", section_of(page, "Languages and texts"))
    assert {text for text in rows if not text.startswith("urn")} >= written


def test_the_manual_keeps_people_signed_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portier_client, "Client", partial(Client, broker=broker.origin))
    monkeypatch.setenv("SESSION_SECRET", secrets.token_urlsafe(32))
    text = (ROOT / "docs/sessions.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(next(examples_in(text, "sessions.md")), names)
    _, set_cookie = names["flow"].start_session("alice@example.com")
    cookie = {"Cookie": set_cookie.partition(";")[0]}

    async def visit() -> None:
        status, headers, _ = await names["members"]("GET", "/members", {})
        assert (status, dict(headers)["location"]) == (303, "/login?next=%2Fmembers")
        assert await names["members"]("GET", "/members", cookie) == (
            200,
            [],
            "You are alice@example.com.",
        )
        status, headers, _ = await names["logout"]("POST", cookie)
        assert (status, dict(headers)["location"]) == (303, "/login")

    asyncio.run(visit())
