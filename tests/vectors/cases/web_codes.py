"""Logins of the code flow: the broker's answer is the query of a GET, with a code."""

from .mint import Case
from .web_rules import CSRF, LAX, NO_COOKIES, OFF, ONCE, OTHER_BROWSER, PROOF, VISIT
from .web_steps import (
    AGAIN,
    ALICE,
    ANY_CONFIRMATION,
    DESK,
    PHONE,
    PROBE,
    SECRET,
    THIEF,
    Pairs,
    Step,
    asks,
    callback,
    case,
    elsewhere,
    leads_on,
    login,
    problem,
    resend,
    signed_in,
    step,
    used,
)

CODE_FLOW = "OpenID Connect Core, section 3.1.2.5; RFC 6749, section 4.1.2"
MODES = "OAuth 2.0 Multiple Response Type Encoding Practices, section 3"
PREFETCH = "Fetch Standard, section 3.8 (Sec-Purpose)"

ANSWER = "code={code}&state={state}"
"""The broker's answer, as the browser brings it back."""
ASKED_AGAIN = f"{ANSWER}&portier_again=1"
FIELDS = [["code", "{code}"], ["state", "{state}"]]
ONE = {"token_requests": 1}


def visit(expect: dict[str, object], query: str = ANSWER, **more: object) -> Step:
    """A GET of the redirect URI, as the broker redirects the browser to it."""
    return step("callback", expect, **{"method": "GET", "from_": "link", "query": query, **more})


def completed(location: str = "/", **expect: object) -> dict[str, object]:
    """The end of a login in the browser that started it."""
    return signed_in(location, **{**ONE, **expect})


def redirected() -> dict[str, object]:
    """The browser repeats the request: it then has the cookies of this answer and of others."""
    return {"status": 303, "location": f"?{ASKED_AGAIN}", "sets": [PROBE]}


def asked_here(**expect: object) -> dict[str, object]:
    """The question whether to go on in this browser."""
    return asks(fields=[*FIELDS, AGAIN, ANY_CONFIRMATION], **expect)


def question(browser: str = PHONE) -> list[Step]:
    """The link is opened in another browser, which is asked."""
    return [
        visit(redirected(), browser=browser),
        visit(asked_here(sets=[SECRET]), ASKED_AGAIN, browser=browser),
    ]


def answers() -> list[Case]:
    """How a login completes."""
    return [
        case(
            "code-completes-a-login",
            "a redirect with a code and the login's state; the code is redeemed once",
            CODE_FLOW,
            [login(page="/members"), visit(completed("/members"))],
        ),
        *[
            case(
                f"code-is-asked-for-{name}",
                "the request to the broker",
                CODE_FLOW,
                [login(expect={"status": 303, "to_broker": asked, "sets": [SECRET]})],
                options=options,
            )
            for name, options, asked in [
                ("by-default", {}, {"response_type": "code", "response_mode": "query"}),
                ("if-the-site-says-so", {"flow": "code"}, {"response_type": "code"}),
                (
                    "unless-the-site-says-otherwise",
                    {"flow": "implicit"},
                    {"response_type": "id_token", "response_mode": "form_post"},
                ),
            ]
        ],
        case(
            "code-in-a-form-completes-a-login-too",
            "a broker may post it, which takes the page that posts again",
            LAX,
            [
                login(),
                callback(
                    {"status": 200, "shows": "post", "fields": [*FIELDS, AGAIN], "sets": [PROBE]},
                    FIELDS,
                ),
                resend(completed()),
            ],
        ),
        case(
            "code-for-a-script-of-the-site",
            "it gets the address as JSON",
            CODE_FLOW,
            [
                login(page="/members"),
                visit(
                    {**completed(), "status": 200, "location": None, "json": {"url": "/members"}},
                    from_="script",
                ),
            ],
        ),
        case(
            "code-in-the-query-of-an-implicit-login",
            "a site that wants the implicit flow takes no query",
            MODES,
            [
                login(),
                visit(
                    problem("post_only", 405, "request_method", headers={"allow": "POST"}),
                    "code=a&state=b",
                ),
            ],
            options={"flow": "implicit"},
        ),
    ]


def repeats() -> list[Case]:
    """The same answer, a second time."""
    return [
        case(
            "code-a-second-time-leads-on",
            "a reload or a second press, in the browser that was signed in",
            PROOF,
            [
                login(page="/members"),
                visit(completed("/members")),
                visit(leads_on("/members")),
                visit(leads_on("/members"), from_="typed"),
            ],
        ),
        case(
            "code-a-second-time-without-the-proof",
            "the request is repeated once, in case the proof has arrived since; then the person is "
            "told that the login was completed",
            PROOF,
            [
                login(),
                visit(completed(), keeps=False),
                visit(redirected()),
                visit(used(), ASKED_AGAIN),
            ],
        ),
        case(
            "code-a-second-time-in-another-browser",
            "who was not signed in here is not led on",
            ONCE,
            [
                login(),
                visit(completed()),
                visit(redirected(), browser=THIEF),
                visit(used(sets=[SECRET]), ASKED_AGAIN, browser=THIEF),
            ],
        ),
        case(
            "code-of-a-login-that-has-expired",
            "the broker is not asked",
            CODE_FLOW,
            [
                login(),
                visit(problem("over", 400, "session_unknown"), advance=1900),
            ],
        ),
    ]


def visits() -> list[Case]:
    """Requests that only inspect the link."""
    headers = {"headers": {"allow": "GET, POST"}}
    return [
        *[
            case(
                f"code-is-not-redeemed-by-{method.lower()}",
                "only GET and POST complete a login",
                VISIT,
                [
                    login(),
                    visit(problem("post_only", 405, "request_method", **headers), method=method),
                    visit(completed()),
                ],
            )
            for method in ("HEAD", "PUT")
        ],
        *[
            case(
                f"code-is-not-redeemed-in-advance-{name}",
                "the browser drops the answer, and asks again when the person wants the page",
                PREFETCH,
                [
                    login(),
                    visit({"status": 503}, headers={header: value}),
                    visit(completed()),
                ],
            )
            for name, header, value in [
                ("prefetch", "sec-purpose", "prefetch"),
                ("prerender", "sec-purpose", "prefetch;prerender"),
                ("by-the-older-name", "purpose", "prefetch"),
            ]
        ],
        case(
            "code-is-not-redeemed-by-a-scanner",
            "one without cookies is told so, one with cookies is asked",
            CSRF,
            [
                login(),
                visit(redirected(), browser=THIEF, keeps=False),
                visit(NO_COOKIES, ASKED_AGAIN, browser=THIEF),
                *question(),
                visit(completed(), browser=DESK),
            ],
        ),
        case(
            "code-given-to-a-script-of-another-site",
            "it gets no secret, which would replace the one of this browser",
            CSRF,
            [
                login(),
                visit(
                    redirected(),
                    from_="elsewhere",
                    headers={"sec-fetch-mode": "cors", "accept": "*/*"},
                ),
                visit(completed()),
            ],
        ),
        *[
            case(
                f"callback-visited-{name}",
                "there is no answer of the broker in it",
                VISIT,
                [visit(problem("post_only", 405, "request_method", **headers), query)],
            )
            for name, query in [
                ("without-a-query", ""),
                ("with-a-query-of-others", "utm_source=mail&page=2"),
            ]
        ],
    ]


def browsers() -> list[Case]:
    """Logins that end in another browser."""
    confirmed: Pairs = [*FIELDS, AGAIN, ["portier_confirmation", "{field:portier_confirmation}"]]
    link = "&".join(f"{name}={value}" for name, value in confirmed)
    return [
        case(
            "code-in-another-browser",
            "the person is asked, with the code unredeemed, and says yes with a form",
            CSRF,
            [
                login(page="/members"),
                *question(),
                resend(elsewhere("/members", **ONE), browser=PHONE),
                visit(redirected(), browser=DESK),
                visit(used(), ASKED_AGAIN, browser=DESK),
            ],
        ),
        case(
            "code-confirmed-by-a-link",
            "nobody confirms with a link: the person is asked again",
            CSRF,
            [
                login(),
                *question(),
                visit(asked_here(), link, browser=PHONE),
                resend(elsewhere(**ONE), browser=PHONE),
            ],
        ),
        case(
            "code-confirmed-for-another-login",
            "consent is for one login and one code",
            CSRF,
            [
                login("mallory@example.com", as_="first", browser=THIEF),
                visit(redirected(), browser=PHONE),
                visit(
                    asks(
                        "mallory@example.com",
                        fields=[*FIELDS, AGAIN, ANY_CONFIRMATION],
                        sets=[SECRET],
                    ),
                    ASKED_AGAIN,
                    browser=PHONE,
                ),
                login(as_="second", browser=DESK),
                callback(asked_here(), confirmed, browser=PHONE, from_="site"),
            ],
        ),
        case(
            "code-in-another-browser-where-that-is-refused",
            "the code stays unredeemed, and the login pending",
            CSRF,
            [
                login(),
                visit(redirected(), browser=PHONE),
                visit({**OTHER_BROWSER, "sets": [SECRET]}, ASKED_AGAIN, browser=PHONE),
                visit(completed(), browser=DESK),
            ],
            options={"browser_binding": "require"},
        ),
        case(
            "code-in-another-browser-where-nothing-is-checked",
            "any browser completes it",
            "policy: a site may turn the binding off",
            [
                login(expect={"status": 303, "to_broker": {}}),
                visit(
                    completed(sets=[], login={"email": ALICE, "same_browser": False}),
                    browser=PHONE,
                ),
            ],
            options=OFF,
        ),
        case(
            "code-of-an-attacker-with-the-state-of-the-victim",
            "a code belongs to its login; the victim's login stays pending",
            "OAuth 2.0 Security Best Current Practice (RFC 9700), section 4.5",
            [
                login("mallory@example.com", as_="attack", browser=THIEF),
                login(as_="victim"),
                visit(
                    problem("not_confirmed", 400, "token_claim", **ONE),
                    "code={code:genuine:attack}&state={state:victim}",
                ),
                visit(completed(), "code={code:genuine:victim}&state={state:victim}"),
            ],
        ),
    ]
