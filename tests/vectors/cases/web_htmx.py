"""Requests of htmx, which follows the response header HX-Redirect."""

from .mint import Case
from .web_rules import FETCH, SCRIPT
from .web_sessions import SESSION, logged_in, logout, require_login, session
from .web_steps import SIGNED_IN, Step, case, login, problem

HTMX = {"hx-request": "true"}
CURRENT = "htmx: the request header HX-Current-URL"
HISTORY = "htmx: the request header HX-History-Restore-Request"
LOCAL: dict[str, object] = {"redirect_uri": "http://localhost:8888/verify"}
MEMBERS = "/members?page=2"


def logins() -> list[Case]:
    """Logins over plain http, where browsers do not say that a script sends the request."""
    by: dict[str, dict[str, str]] = {
        "htmx": {"accept": "*/*"},
        "htmx-4": {"accept": "text/html"},
        "a-boosted-form": {"accept": "*/*", "hx-boosted": "true"},
    }
    return [
        *[
            case(
                f"login-by-{name}-is-known-by-its-header-alone",
                "another site cannot send it without a preflight",
                SCRIPT,
                [
                    login(
                        from_="old",
                        headers={**HTMX, **headers},
                        expect={
                            "status": 200,
                            "to_broker": {},
                            "sets": ["portier"],
                            "json": {},
                            "hx_redirect": True,
                        },
                    )
                ],
                options=LOCAL,
            )
            for name, headers in by.items()
        ],
        case(
            "login-by-a-page-that-says-it-is-not-htmx",
            "only the word true means it",
            SCRIPT,
            [
                login(
                    from_="old",
                    headers={"hx-request": "false", "hx-boosted": "true"},
                    expect={"status": 303, "to_broker": {}, "sets": ["portier"]},
                )
            ],
            options=LOCAL,
        ),
        case(
            "login-by-htmx-of-another-site-is-refused",
            "where the site allows the header to others, the check of the origin remains",
            FETCH,
            [
                login(
                    from_="old",
                    headers={**HTMX, "origin": "http://evil.example"},
                    expect={
                        **problem("other_site", 403, "request_origin"),
                        "json": {"type": "urn:portier-client:problem:other_site"},
                    },
                )
            ],
            options=LOCAL,
        ),
    ]


def guarded() -> list[Case]:
    """Pages that need a login, and their parts."""
    own: dict[str, tuple[str, dict[str, str], str | None]] = {
        "the-page-of-a-part": ("GET", {"hx-current-url": "{site}/list?page=3"}, "/list?page=3"),
        "the-page-of-a-form": ("POST", {"hx-current-url": "{site}/list"}, "/list"),
        "the-page-without-its-fragment": ("GET", {"hx-current-url": "{site}/list#a"}, "/list"),
        "the-first-page": ("GET", {"hx-current-url": "{site}"}, "/"),
        "the-page-of-a-boosted-link": (
            "GET",
            {"hx-boosted": "true", "hx-current-url": "{site}/list"},
            MEMBERS,
        ),
        "the-page-of-a-boosted-form": (
            "POST",
            {"hx-boosted": "true", "hx-current-url": "{site}/list"},
            "/list",
        ),
    }
    none = {
        "no-page": None,
        "another-site": "https://evil.example/list",
        "a-host-that-begins-like-the-site": "{site}.evil.example/list",
        "a-host-behind-a-user": "{site}@evil.example/list",
        "a-user": "https://user@example.com/list",
        "another-port": "{site}:8443/list",
        "another-scheme": "http://example.com/list",
        "a-host-in-the-path": "{site}//evil.example",
        "a-backslash": "{site}\\@evil.example",
        "a-path": "/list",
        "a-script": "javascript:alert(1)",
        "two-pages": "{site}/list, {site}/list",
    }
    return [
        *[
            case(
                f"guard-returns-htmx-to-{name}",
                "which the login page gets as next",
                CURRENT,
                [_guard({**HTMX, **headers}, next_, method=method)],
            )
            for name, (method, headers, next_) in own.items()
        ],
        *[
            case(
                f"guard-returns-htmx-nowhere-with-{name}",
                "which is no page of this site",
                CURRENT,
                [_guard({**HTMX, **({} if page is None else {"hx-current-url": page})}, None)],
            )
            for name, page in none.items()
        ],
        case(
            "guard-returns-no-other-script-to-a-page",
            "the header is that of htmx",
            CURRENT,
            [
                require_login(
                    {
                        "status": 401,
                        "json": {"url": "/in", **_NOT_SIGNED_IN},
                        "headers": {"hx-redirect": None},
                    },
                    from_="script",
                    headers={"hx-boosted": "true", "hx-current-url": "{site}/list"},
                )
            ],
        ),
        case(
            "guard-knows-htmx-by-its-header-alone",
            "over plain http, where browsers do not say that a script sends the request",
            SCRIPT,
            [
                _guard(
                    {**HTMX, "hx-current-url": "http://localhost:8888/list"}, "/list", from_="old"
                ),
                _guard({**HTMX, "hx-current-url": "http://localhost/list"}, None, from_="old"),
            ],
            options=LOCAL,
        ),
        *[
            case(
                f"guard-redirects-htmx-when-it-restores-a-page{name}",
                "it shows the response as a page, and ignores HX-Redirect",
                HISTORY,
                [
                    require_login(
                        {"status": 303, "location": "/in?next=%2Fmembers%3Fpage%3D2"},
                        MEMBERS,
                        from_="script",
                        headers={
                            **headers,
                            "hx-history-restore-request": "true",
                            "hx-current-url": "{site}/members?page=2",
                        },
                    )
                ],
            )
            for name, headers in [("", HTMX), ("-without-saying-that-it-is-htmx", {})]
        ],
        case(
            "signing-out-by-htmx-is-known-by-its-header-alone",
            "it gets the address to go to",
            SCRIPT,
            [
                *_logged_in_locally(),
                logout(
                    {
                        "status": 200,
                        "json": {"url": "/in"},
                        "headers": {"hx-redirect": "/in"},
                        "clears": ["portier-session", "portier-signed-in"],
                    },
                    from_="old",
                    headers={**HTMX, "hx-current-url": "{site}/list"},
                ),
                session(None),
            ],
            options=LOCAL,
        ),
    ]


_NOT_SIGNED_IN: dict[str, object] = {
    "type": "urn:portier-client:problem:not_signed_in",
    "title": "Please sign in",
    "status": 401,
    "code": "not_signed_in",
}


def _guard(headers: dict[str, str], next_: str | None, **more: object) -> Step:
    """Asks for a page that needs a login; it has to lead to the login page with `next`."""
    encoded = "" if next_ is None else next_.translate({47: "%2F", 61: "%3D", 63: "%3F"})
    url = f"/in?next={encoded}" if encoded else "/in"
    expect = {
        "status": 401,
        "json": {**_NOT_SIGNED_IN, "url": url},
        "headers": {"hx-redirect": url},
    }
    return require_login(expect, MEMBERS, **{"from_": "script", "headers": headers, **more})


def _logged_in_locally() -> list[Step]:
    """A login that begins a session, over plain http."""
    start, end = logged_in()
    started, completed = start["expect"], end["expect"]
    assert isinstance(started, dict)
    assert isinstance(completed, dict)
    names = [name.removeprefix("__Host-") for name in (SIGNED_IN, SESSION)]
    return [
        {**start, "expect": {**started, "sets": ["portier"]}},
        {**end, "expect": {**completed, "sets": names}},
    ]
