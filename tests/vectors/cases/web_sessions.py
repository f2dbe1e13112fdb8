"""Sessions of the flow: how they begin, last and end, and pages that need one."""

from .mint import Case
from .web_codes import ASKED_AGAIN, completed, redirected, visit
from .web_rules import FETCH, OPEN
from .web_steps import ALICE, SECRET, SIGNED_IN, THIEF, Step, case, login, problem, step, used

SESSION = "__Host-portier-session"
SEALED = "policy: a session is what its sealed cookie says"
ENDS = "policy: a session ends 14 days after the last visit, and 90 days after the login"
GUARD = "policy: a page for members redirects to the login page and back"
LOGOUT = "policy: only a form of this site signs out"
DAY = 86_400

OPTIONS: dict[str, object] = {"secret": "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u", "login_url": "/in"}
WITHOUT: dict[str, object] = {"secret": None}


def logged_in(**expect: object) -> list[Step]:
    """A login that begins a session."""
    return [login(), visit(completed(sets=[SIGNED_IN, SESSION], **expect))]


def session(email: str | None = ALICE, *, renews: bool = False, **more: object) -> Step:
    """Asks for the session of a request."""
    found: dict[str, object] = {"session": None if email is None else {"email": email}}
    if renews:
        found["sets"] = [SESSION]
    return step("session", found, **{"method": "GET", **more})


def require_login(expect: dict[str, object], page: str = "/members", **more: object) -> Step:
    """Asks for a page that needs a login."""
    return step("require_login", expect, **{"method": "GET", "page": page, **more})


def logout(expect: dict[str, object], **more: object) -> Step:
    """Signs out."""
    return step("logout", expect, **more)


OUT: dict[str, object] = {"status": 303, "location": "/in", "clears": [SESSION, SIGNED_IN]}


def sessions() -> list[Case]:
    """How a session begins, lasts and ends."""
    kept = {SESSION: f"{{cookie:desk:{SESSION}}}"}
    return [
        case(
            "session-begins-with-a-login",
            "its cookie goes along with the proof of the login",
            SEALED,
            [session(None), *logged_in(), session()],
        ),
        case(
            "session-needs-a-secret",
            "a site that keeps sessions itself has none of the flow's",
            SEALED,
            [login(), visit(completed(sets=[SIGNED_IN])), session(None)],
            options=WITHOUT,
        ),
        case(
            "session-begins-only-if-the-hook-succeeds",
            "nobody is signed in where the site has failed",
            SEALED,
            [
                login(),
                visit(completed(status=500, location=None, sets=[]), hook="throws"),
                session(None),
            ],
        ),
        case(
            "session-does-not-begin-with-a-refusal",
            "the person whom the site refuses is not signed in",
            SEALED,
            [
                login(),
                visit(
                    problem(
                        "account_refused",
                        403,
                        "account_refused",
                        login={"email": ALICE, "same_browser": True},
                        token_requests=1,
                    ),
                    hook={"refuses": "account_refused"},
                ),
                session(None),
            ],
        ),
        case(
            "session-begins-where-the-hook-answers",
            "with an answer that is no error",
            SEALED,
            [
                login(),
                visit(
                    completed(status=200, location=None, sets=[SIGNED_IN, SESSION]),
                    hook=[200, "Welcome"],
                ),
                session(),
            ],
        ),
        case(
            "session-does-not-begin-with-a-problem",
            "a login that fails signs nobody in",
            SEALED,
            [
                login(),
                visit(problem("cancelled", 403, "broker_error"), "error=access_denied"),
                session(None),
            ],
        ),
        case(
            "session-of-the-next-login-replaces-the-one-before",
            "each login begins a session of its own",
            SEALED,
            [
                *logged_in(),
                login("bob@example.com"),
                visit(
                    completed(
                        sets=[SIGNED_IN, SESSION],
                        login={"email": "bob@example.com", "same_browser": True},
                    )
                ),
                session("bob@example.com"),
            ],
        ),
        case(
            "session-is-renewed-by-a-visit",
            "in the second half of its time, once",
            ENDS,
            [
                *logged_in(),
                session(advance=7 * DAY - 10),
                session(renews=True, advance=20),
                session(),
                session(advance=13 * DAY, renews=True),
            ],
        ),
        case(
            "session-ends-without-a-visit",
            "also for a browser that keeps the cookie",
            ENDS,
            [
                *logged_in(),
                session(
                    browser=THIEF, cookies=kept, advance=14 * DAY - 1, renews=True, keeps=False
                ),
                session(None, browser=THIEF, advance=1),
            ],
        ),
        case(
            "session-ends-at-last",
            "whatever the visits",
            ENDS,
            [
                *logged_in(),
                session(advance=10 * DAY, renews=True),
                session(browser=THIEF, cookies=kept, advance=5 * DAY - 1),
                session(None, browser=THIEF, advance=1),
            ],
            options={"session_absolute_max_age": 15 * DAY},
        ),
        *[
            case(
                f"session-with-a-cookie-{name}",
                "it is that of nobody",
                SEALED,
                [*logged_in(), session(None, cookies={SESSION: value})],
            )
            for name, value in [
                ("cut-off", "{cookie:" + SESSION + "}A"),
                ("empty", ""),
                ("of-another-kind", "alice@example.com"),
            ]
        ],
        case(
            "session-with-two-cookies",
            "nobody knows which is whose",
            SEALED,
            [
                *logged_in(),
                session(
                    None,
                    headers={
                        "cookie": f"{SESSION}={{cookie:{SESSION}}}; {SESSION}={{cookie:{SESSION}}}"
                    },
                ),
            ],
        ),
    ]


def guarded() -> list[Case]:
    """Pages that need a login."""
    script = {
        "status": 401,
        "json": {
            "type": "urn:portier-client:problem:not_signed_in",
            "title": "Please sign in",
            "status": 401,
            "code": "not_signed_in",
            "url": "/in",
        },
    }
    return [
        *[
            case(
                f"guard-leads-to-the-login-page{name}",
                "with the page as next, if it is one of this site",
                GUARD if method in {"GET", "HEAD"} else OPEN,
                [
                    require_login(
                        {"status": 303, "location": location}, page, method=method, from_="typed"
                    )
                ],
                options={"login_url": login_url},
            )
            for name, login_url, method, page, location in [
                ("", "/in", "GET", "/members?page=2", "/in?next=%2Fmembers%3Fpage%3D2"),
                ("-of-another-query", "/in?a=b", "GET", "/members", "/in?a=b&next=%2Fmembers"),
                ("-of-another-next", "/in?next=%2F", "GET", "/members", "/in?next=%2Fmembers"),
                ("-of-a-fragment", "/in#form", "GET", "/members", "/in?next=%2Fmembers#form"),
                (
                    "-of-another-host",
                    "https://id.example.com/in",
                    "GET",
                    "/members",
                    "https://id.example.com/in?next=https%3A%2F%2Fexample.com%2Fmembers",
                ),
                ("-for-head", "/in", "HEAD", "/members", "/in?next=%2Fmembers"),
                ("-without-the-page-of-a-form", "/in", "POST", "/members", "/in"),
            ]
        ],
        case(
            "guard-leads-to-the-login-page-behind-a-proxy-that-strips-a-prefix",
            "with the page as browsers see it",
            GUARD,
            [
                require_login(
                    {"status": 303, "location": "/in?next=%2Fapp%2Fmembers%3Fa%3Db"},
                    "/members?a=b",
                    from_="typed",
                )
            ],
            options={"redirect_uri": "https://example.com/app/verify", "callback_path": "/verify"},
        ),
        case(
            "guard-answers-a-script",
            "with a problem, and the address of the login page",
            GUARD,
            [require_login(script, from_="script")],
        ),
        case(
            "guard-answers-htmx",
            "which follows a header",
            GUARD,
            [
                require_login(
                    {**script, "headers": {"hx-redirect": "/in"}},
                    from_="script",
                    headers={"hx-request": "true"},
                )
            ],
        ),
    ]


def signing_out() -> list[Case]:
    """Signing out."""
    refused = problem("other_site", 403, "request_origin")
    return [
        case(
            "signing-out-ends-the-session",
            "and the proof of the login, so that its link leads nowhere silently",
            LOGOUT,
            [
                *logged_in(),
                logout(OUT),
                session(None),
                visit(redirected()),
                visit(used(), ASKED_AGAIN),
            ],
        ),
        case(
            "signing-out-by-a-script",
            "it gets the address to go to",
            LOGOUT,
            [
                *logged_in(),
                logout(
                    {"status": 200, "json": {"url": "/in"}, "clears": [SESSION, SIGNED_IN]},
                    from_="script",
                ),
                session(None),
            ],
        ),
        case(
            "signing-out-without-a-session",
            "is no error",
            LOGOUT,
            [logout(OUT)],
        ),
        *[
            case(
                f"signing-out-{name}",
                "signs nobody out",
                FETCH,
                [*logged_in(), logout(refused, from_=source), session()],
            )
            for name, source in [
                ("from-another-site", "elsewhere"),
                ("from-an-unknown-site", "old broker"),
            ]
        ],
        *[
            case(
                f"signing-out-by-{method.lower()}",
                "a link, a picture or a prefetch signs nobody out",
                LOGOUT,
                [
                    *logged_in(),
                    logout(
                        problem("post_only", 405, "request_method", headers={"allow": "POST"}),
                        method=method,
                    ),
                    session(),
                ],
            )
            for method in ("GET", "HEAD")
        ],
        case(
            "login-under-way-survives-signing-out",
            "the browser keeps the secret that it is bound to",
            LOGOUT,
            [
                *logged_in(),
                login(expect={"status": 303, "to_broker": {}, "sets": [SECRET], "secret": "kept"}),
                logout(OUT),
                visit(completed(sets=[SIGNED_IN, SESSION])),
            ],
        ),
    ]
