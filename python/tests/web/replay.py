"""Runs the steps of the cases for the web flow; `tests/vectors/web.md` describes them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import urlopen

from portier_client.testing import DevBroker, ManualClock

from .expected import Answer, faults

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"


def load(name: str) -> dict[str, Any]:
    """A file of vectors. Its cases have their own options; the rest of the setting is the same."""
    setting: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    for case in setting["cases"]:
        case["options"] = {**setting["options"], **case.get("options", {})}
    return setting


SETTING = load("web")
CASES: list[dict[str, Any]] = SETTING["cases"]

FORM = "application/x-www-form-urlencoded"
DOCUMENTS = ("/.well-known/openid-configuration", "/keys.json")
NOWHERE = "http://127.0.0.1:9"
"""A broker without documents."""


class Surroundings:
    """The parts that all cases share, because making keys takes time."""

    def __init__(self) -> None:
        self.clock = ManualClock(SETTING["now"])
        self.now: int = SETTING["now"]
        self.broker = DevBroker(clock=self.clock)
        urls = [f"{self.broker.origin}{path}" for path in DOCUMENTS]
        self.documents = {url: _get(url) for url in urls}

    def advance(self, seconds: int) -> None:
        """Moves the clock of the broker."""
        self.clock.advance(seconds)
        self.now += seconds

    def given_to(self, case: dict[str, Any]) -> dict[str, Any]:
        """The parts of the client of a case."""
        return {
            "options": {**SETTING["options"], **case.get("options", {})},
            "has_switched_store": any("store" in step for step in case["steps"]),
            "broker": self.broker.origin,
            "documents": self.documents,
            "now": self.now,
        }

    def mint(self, url: str, kind: str) -> str:
        """A token of a kind, for the login with that URL."""
        # A signature with RSA takes a millisecond; the algorithms are vectors of their own.
        changes = {"algorithm": "EdDSA", **SETTING["tokens"][kind]}
        times = {claim: self.now + at for claim, at in changes.pop("times", {}).items()}
        if times:
            changes["claims"] = {**changes.get("claims", {}), **times}
        return self.broker.mint(url, **changes)


@dataclass(frozen=True)
class Request:
    """One HTTP request."""

    method: str
    headers: list[tuple[str, str]]
    body: bytes | list[tuple[str, str | None]] | None
    """`None` if other code has read it and discarded it."""
    query: str = ""
    form_token_checked: bool = False


class Site(Protocol):
    """What the steps run against: a flow, or a site."""

    def ask(self, name: str, of: str) -> object:
        """Returns a property of the flow, or the result of its method `name` for `of`."""

    def authenticate(self, session: str) -> str:
        """Starts a login with the client itself; returns its URL at the broker."""

    def advance(self, seconds: int) -> None:
        """Moves the clock of the client."""

    def send(self, step: dict[str, Any], request: Request) -> Answer:
        """Answers a request."""

    def session(self, request: Request) -> tuple[str, str | None] | None:
        """The address of the session of a request, and the cookie that renews it."""

    def answer_token_requests(self, status: int, body: str) -> None:
        """Sets how the broker answers token requests from now on."""

    def token_requests(self) -> int:
        """How many token requests there were so far."""


@dataclass
class Browser:
    """A minimal browser: its cookies, and the fields of its current page."""

    cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def cookie_header(self, now: int) -> str:
        """The header `Cookie`, without expired cookies."""
        kept = {name: (v, end) for name, (v, end) in self.cookies.items() if not end or now < end}
        self.cookies = kept
        return "; ".join(f"{name}={value}" for name, (value, _) in kept.items())

    def change(self, cookies: dict[str, str | None]) -> None:
        """Sets cookies, or removes those without a value."""
        for name, value in cookies.items():
            self.cookies.pop(name, None)
            if value is not None:
                self.cookies[name] = (value, None)

    def keep(self, header: str, now: int) -> None:
        """Keeps the cookie of a `Set-Cookie` header."""
        name, _, value = header.partition(";")[0].partition("=")
        age = re.search("(?i)max-age=([0-9]+)", header)
        self.cookies[name] = (value, now + int(age[1]) if age else None)


class Replay:
    """A case that is being run."""

    def __init__(self, case: dict[str, Any], surroundings: Surroundings, site: Site) -> None:
        self._surroundings = surroundings
        self._site = site
        self._browsers: dict[str, Browser] = {}
        self._logins: list[tuple[str, str]] = []
        self._tokens: dict[tuple[str, str], str] = {}
        self._codes: dict[str, str] = {}
        self._redeemed: set[str] = set()
        self._redirect_uri = {**SETTING["options"], **case.get("options", {})}["redirect_uri"]

    def take(self, step: dict[str, Any]) -> list[str]:
        """Runs a step; returns the differences from the expected result."""
        if seconds := step.get("advance"):
            self._surroundings.advance(seconds)
            self._site.advance(seconds)
        if step["do"] == "ask":
            answer = self._site.ask(step["name"], step.get("of", ""))
            expected = self._filled(step["expect"]["answer"], "")
            wrong = f"{step['name']}({step.get('of', '')}) {answer=} {expected=}"
            return [] if answer == expected else [wrong]
        if step["do"] == "authenticate":
            self._started(step, self._site.authenticate(step["session"]))
            return []
        name = step.get("browser", "desk")
        browser = self._browsers.setdefault(name, Browser())
        browser.change(
            {cookie: self._filled(value, name) for cookie, value in step.get("cookies", {}).items()}
        )
        request = self._request(step, name)
        expected = self._filled(step["expect"], name)
        if step["do"] == "session":
            return self._session(step, request, browser)
        secret = self._secret(browser)
        before = self._site.token_requests()
        code = self._expect_token_request(step, request)
        answer = self._site.send(step, request)
        requests = self._site.token_requests() - before
        if requests and code is not None:
            self._redeemed.add(code)
        wrong = f"{requests} token requests, not {expected.get('token_requests', 0)}"
        if requests != expected.get("token_requests", 0):
            return [wrong]
        if url := answer.to_broker(self._surroundings.broker.origin):
            self._started(step, url)
        if step.get("keeps", True):
            for header in answer.cookies:
                browser.keep(header, self._surroundings.now)
        if answer.json is not None or answer.page.shows:
            browser.fields = answer.fields
        expected["secret_is_kept"] = secret == self._secret(browser)
        return faults(answer, expected, self._surroundings.broker.origin, SETTING, request.method)

    def _session(self, step: dict[str, Any], request: Request, browser: Browser) -> list[str]:
        """Asks for the session of a request, and keeps the cookie that renews it."""
        found = self._site.session(request)
        email, renewal = found or (None, None)
        expected = step["expect"]
        wanted = (expected["session"] or {}).get("email")
        if (email, renewal is not None) != (wanted, "sets" in expected):
            return [f"session={email} renewed={renewal is not None}"]
        if renewal is not None and step.get("keeps", True):
            browser.keep(renewal, self._surroundings.now)
        return []

    def _expect_token_request(self, step: dict[str, Any], request: Request) -> str | None:
        """Prepares the answer to the token request; returns the code that it would redeem."""
        body = request.body.decode("latin-1") if isinstance(request.body, bytes) else ""
        text = f"{request.query}&{body}"
        found = [code for code in self._codes.values() if f"={code}" in text]
        code = next((code for code in found if code not in self._redeemed), None)
        given = self._filled(step.get("token_endpoint"), step.get("browser", "desk"))
        tokens = {code: token for token, code in self._codes.items()}
        if given is not None:
            status, answer = given
            code = None
        elif code is not None:
            status, answer = 200, {"id_token": tokens[code]}
        else:
            status, answer = 400, {"error": "invalid_grant"}
        self._site.answer_token_requests(status, json.dumps(answer))
        return code

    def _request(self, step: dict[str, Any], name: str) -> Request:
        browser = self._browsers[name]
        method = step.get("method", "POST")
        default = "broker" if step["do"] == "callback" else "site"
        source = SETTING["from"][step.get("from", default)]
        headers: dict[str, Any] = dict(source["headers"])
        cookies = browser.cookie_header(self._surroundings.now)
        if source["lax_cookies"] and cookies:
            headers["cookie"] = cookies
        has_body = method == "POST" and step["do"] != "start"
        if has_body:
            headers["content-type"] = FORM
        headers |= step.get("headers", {})
        pairs = [
            (header, self._filled(value, name))
            for header, values in headers.items()
            for value in (values if isinstance(values, list) else [values])
            if value is not None
        ]
        return Request(
            method,
            pairs,
            self._body(step, name) if has_body else b"",
            query=self._filled(step.get("query", ""), name),
            form_token_checked=step.get("form_token_checked", False),
        )

    def _body(self, step: dict[str, Any], name: str) -> bytes | list[tuple[str, str | None]] | None:
        given = step.get("given")
        if given == "too_large":
            return b"a" * 65_537
        if given == "unreadable":
            return None
        if "body" in step:
            return str(self._filled(step["body"], name)).encode("latin-1")
        form = self._browsers[name].fields if step["do"] == "resend" else step.get("form", [])
        pairs = [(field, self._filled(value, name)) for field, value in form]
        return pairs if given == "fields" else urlencode(pairs).encode()

    def _started(self, step: dict[str, Any], url: str) -> None:
        self._logins.append((step.get("as", ""), url))

    def _secret(self, browser: Browser) -> tuple[str, int | None] | str | None:
        is_secure = self._redirect_uri.lower().startswith("https:")
        kept = browser.cookies.get("__Host-portier" if is_secure else "portier")
        return kept and kept[0]

    def _filled(self, value: Any, browser: str) -> Any:
        """The value with its placeholders replaced."""
        if isinstance(value, dict):
            return {name: self._filled(inner, browser) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, browser) for inner in value]
        if not isinstance(value, str):
            return value
        return _PLACEHOLDER.sub(lambda found: self._replacement(found, browser), value)

    def _replacement(self, found: re.Match[str], browser: str) -> str:
        what, *parts = found[1].split(":")
        if what == "site":
            scheme, netloc, *_ = urlsplit(self._redirect_uri)
            return f"{scheme}://{netloc}".lower()
        if what == "broker":
            return self._surroundings.broker.origin
        if what == "repeat":
            return parts[0] * int(parts[1])
        of_login: dict[str, Callable[..., str]]
        of_login = {"token": self._token, "code": self._code, "state": self._state}
        if what in of_login:
            return of_login[what](*parts)
        other = self._browsers[parts[0] if len(parts) > 1 else browser]
        if what == "cookie":
            return other.cookies[parts[-1]][0]
        return next(value for name, value in other.fields if name == parts[-1])

    def _token(self, kind: str = "genuine", login: str | None = None) -> str:
        url = self._login(login)
        key = (kind, url)
        if key not in self._tokens:
            self._tokens[key] = self._surroundings.mint(url, kind)
        return self._tokens[key]

    def _code(self, *of_token: str) -> str:
        return self._codes.setdefault(self._token(*of_token), f"{len(self._codes) + 1}.code")

    def _state(self, login: str | None = None) -> str:
        return dict(parse_qsl(urlsplit(self._login(login)).query))["state"]

    def _login(self, login: str | None = None) -> str:
        return [url for name, url in self._logins if login in {None, name}][-1]


_PLACEHOLDER = re.compile(r"\{((?:site|broker|token|code|state|cookie|field|repeat)(?::[^{}]*)?)\}")


def _get(url: str) -> str:
    with urlopen(url, timeout=10) as response:
        text: str = response.read().decode()
    return text
