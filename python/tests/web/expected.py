"""Compares the answer to a step of `tests/vectors/web.json` with the expected one; `web.md`
describes the format."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Answer:
    """What a site sends, and what its hooks were given."""

    status: int
    headers: list[tuple[str, str]]
    """Names in lower case; all but `Set-Cookie`."""
    cookies: list[str]
    body: str
    error: str | None = None
    login: dict[str, Any] | None = None
    is_ours: bool = True
    """Whether no hook has answered or thrown."""
    typed: dict[str, Any] | None = None
    """What was typed, according to the problem; `None` if a test cannot see it."""

    def header(self, name: str) -> str | None:
        """The only header with this name."""
        found = [value for known, value in self.headers if known == name]
        assert len(found) < 2, f"{name} is there twice"
        return found[0] if found else None

    @cached_property
    def json(self) -> dict[str, Any] | None:
        """The members of a JSON answer."""
        is_json = "json" in (self.header("content-type") or "") and self.is_ours and self.body
        return json.loads(self.body) if is_json else None

    @cached_property
    def page(self) -> Page:
        """The page, if it is one."""
        return Page(self.body)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The hidden fields of the page, or the fields of a JSON answer."""
        return self.page.fields if self.json is None else [*self.json.get("fields", {}).items()]

    def to_broker(self, broker: str) -> str | None:
        """The URL at the broker, if the answer redirects there."""
        url = self.header("location") or (self.json or {}).get("url") or ""
        return url if url.startswith(f"{broker}/auth?") else None


class Page(HTMLParser):
    """What a test reads from a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.feed(text)

    @property
    def shows(self) -> str | None:
        """The kind of page, if it is one of the library."""
        return self.attributes.get("main", {}).get("data-portier")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.attributes.setdefault(tag, attributes)
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields.append((attributes.get("name") or "", attributes.get("value") or ""))


def faults(
    answer: Answer, expected: dict[str, Any], broker: str, setting: dict[str, Any], method: str
) -> list[str]:
    """Returns the differences between an answer and the expected one."""
    judge = _Judge(answer, expected, setting)
    if "fails" in expected:
        judge.failure()
        return judge.wrong
    judge.facts(broker)
    judge.cookies()
    if answer.is_ours:
        judge.headers(has_body=method != "HEAD")
    if method != "HEAD":
        judge.body()
    return judge.wrong


@dataclass
class _Judge:
    answer: Answer
    expected: dict[str, Any]
    setting: dict[str, Any]
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found!r:.300} is not {expected!r:.300}")

    def facts(self, broker: str) -> None:
        answer, expected = self.answer, self.expected
        self.same("status", answer.status, expected["status"])
        url = answer.to_broker(broker)
        self.same("leads to the broker", url is not None, "to_broker" in expected)
        if url is None:
            self.same("location", answer.header("location"), expected.get("location"))
        else:
            query = dict(parse_qsl(urlsplit(url).query))
            for name, value in expected.get("to_broker", {}).items():
                self.same(name, query.get(name), value)
            for text in expected.get("lacks_location", []):
                self.same(f"location has {text}", text in url, False)
        if expected.get("hx_redirect"):
            self.same("hx-redirect", answer.header("hx-redirect"), url)
        if "error" in expected and expected["error"] is None:
            self.same("there is an error", answer.error is not None, True)
        else:
            self.same("error", answer.error, expected.get("error"))
        if answer.typed is not None and "typed" in expected:
            self.same("typed", answer.typed, expected["typed"])
        self.same("there is a login", answer.login is not None, "login" in expected)
        for name, value in expected.get("login", {}).items():
            self.same(name, (answer.login or {}).get(name), value)
        for name, value in expected.get("headers", {}).items():
            self.same(name, answer.header(name), value)
        if "secret" in expected:
            self.same("secret", expected["secret_is_kept"], expected["secret"] == "kept")

    def failure(self) -> None:
        answer, expected = self.answer, self.expected
        self.same("status", answer.status, expected["status"])
        self.same("location", answer.header("location"), None)
        self.same("cookies", answer.cookies, [])
        # Over HTTP, the error cannot be seen.
        self.same("error", answer.error or expected["fails"], expected["fails"])

    def cookies(self) -> None:
        names: dict[str, list[str]] = {"sets": [], "clears": []}
        for cookie in self.answer.cookies:
            name, value, flags = re.split("; |=", cookie, maxsplit=2)
            wanted = self.setting["cookies"].get(name, "")
            if not value:
                wanted = re.sub("^Max-Age=[0-9]+", "Max-Age=0", wanted)
            names["sets" if value else "clears"].append(name)
            self.same(name, _flags(flags), _flags(wanted))
        for what, found in names.items():
            self.same(what, sorted(found), sorted(self.expected.get(what, [])))

    def headers(self, *, has_body: bool) -> None:
        answer, expected = self.answer, self.expected
        is_page = "shows" in expected or ("problem" in expected and "json" not in expected)
        kinds = ["every"]
        if "json" in expected:
            # RFC 9457, unlike the answer to a health check.
            kinds.append("problem" if '"type":' in answer.body else "json")
        elif is_page:
            kinds.append("page")
        for kind in kinds:
            for name, value in self.setting["headers"][kind].items():
                found = answer.header(name)
                # Frameworks add a charset to JSON, although it always has the same one.
                is_json = kind in {"json", "problem"} and found is not None
                self.same(name, found.partition(";")[0] if is_json and found else found, value)
        policy = answer.header("content-security-policy")
        self.same("there is a policy", policy is not None, is_page)
        if policy is None or not has_body:
            return
        directives = policy.split("; ")
        self.same("policy", directives[0], "default-src 'none'")
        for directive in ("frame-ancestors 'none'", "base-uri 'none'"):
            self.same(directive, directive in directives, True)
        for element, name in (("style", "style-src"), ("script", "script-src")):
            content = re.search(f"<{element}>(.*?)</{element}>", answer.body, re.DOTALL)
            source = [f"{name} '{_hash(content[1])}'"] if content else []
            self.same(name, [one for one in directives if one.startswith(name)], source)

    def body(self) -> None:
        answer, expected = self.answer, self.expected
        is_json = "json" in expected
        shows = "problem" if "problem" in expected and not is_json else expected.get("shows")
        self.same("shows", answer.page.shows, shows)
        if shows == "problem":
            attributes = answer.page.attributes["main"] if answer.page.shows else {}
            self.same("problem", attributes.get("data-id"), expected["problem"])
        if "fields" in expected:
            any_value = {name for name, value in expected["fields"] if value is None}
            found = [
                [name, None if name in any_value and value else value]
                for name, value in answer.fields
            ]
            wanted = expected["fields"]
            if is_json:
                # The members of an object have no order.
                found, wanted = (sorted(pairs, key=str) for pairs in (found, wanted))
            self.same("fields", found, wanted)
        self.same("is JSON", answer.json is not None, is_json)
        for name, value in expected.get("json", {}).items():
            self.same(name, (answer.json or {}).get(name), value)
        if "lang" in expected:
            self.same("lang", answer.page.attributes.get("html", {}).get("lang"), expected["lang"])
        text = html.unescape(answer.body)
        for says in expected.get("says", []):
            self.same(f"says {says}", says in text, True)
        for lacks in expected.get("lacks", []):
            self.same(f"has {lacks}", lacks in answer.body, False)


def _flags(text: str) -> list[str]:
    return sorted(text.lower().split("; "))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
