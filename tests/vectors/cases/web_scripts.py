"""Logins that a script of the site starts or ends."""

from .mint import Case
from .web_rules import (
    BLOCKED,
    FETCH,
    NO_COOKIES,
    SCRIPT,
)
from .web_steps import (
    ALICE,
    PHONE,
    POSTED_AGAIN,
    SECRET,
    SIGNED_IN,
    callback,
    case,
    login,
    problem,
    resend,
    step,
    used,
    whole_login,
)


def scripts() -> list[Case]:
    """Logins that a script of the site starts or ends."""
    question = {
        "status": 409,
        "sets": [SECRET],
        "json": {
            "type": "urn:portier-client:problem:confirmation",
            "status": 409,
            "email": ALICE,
        },
        "fields": [*POSTED_AGAIN, ["portier_confirmation", None]],
    }
    by: dict[str, dict[str, object]] = {
        "fetch": {"from_": "script"},
        "fetch-of-the-same-origin": {"headers": {"sec-fetch-mode": "same-origin"}},
        "old-browser": {
            "headers": {
                "sec-fetch-mode": None,
                "sec-fetch-site": None,
                "accept": "application/json",
            }
        },
        "accept": {"headers": {"accept": "application/json, text/plain, */*"}},
        "accept-in-capitals": {"headers": {"accept": "Application/JSON;q=0.9"}},
    }
    made = [
        case(
            f"login-by-script-gets-the-address-of-the-broker-{name}",
            "as JSON, with the cookie all the same: a redirect across origins would fail",
            SCRIPT,
            [login(**how)],  # type: ignore[arg-type]
        )
        for name, how in by.items()
    ]
    no_script: dict[str, dict[str, object]] = {
        "page": {},
        "both-types": {"accept": "text/html, application/json"},
        "any-type": {"accept": "*/*", "sec-fetch-mode": None},
        "no-type": {"accept": None, "sec-fetch-mode": None},
        "longer-type": {"accept": "application/jsonx"},
        # The development server of Nitro forwards requests by `fetch`, which replaces the mode.
        "forwarded-by-fetch": {"sec-fetch-mode": "cors", "sec-fetch-dest": "document"},
    }
    made += [
        case(
            f"login-by-a-page-is-redirected-{name}",
            "a browser that asks for a page is no script",
            SCRIPT,
            [login(headers=headers)],
        )
        for name, headers in no_script.items()
    ]
    for what in made[: len(by)]:
        what["steps"][0]["expect"] = {"status": 200, "to_broker": {}, "sets": [SECRET], "json": {}}  # type: ignore[index]
    htmx = {"hx-request": "true"}
    return [
        *made,
        case(
            "login-by-htmx-is-led-by-its-header",
            "HX-Redirect has the address as well",
            "htmx: the response header HX-Redirect",
            [
                login(
                    from_="script",
                    headers=htmx,
                    expect={
                        "status": 200,
                        "to_broker": {},
                        "sets": [SECRET],
                        "json": {},
                        "hx_redirect": True,
                    },
                )
            ],
        ),
        case(
            "login-by-script-that-says-it-is-not-htmx",
            "only the word true means it",
            "htmx: the request header HX-Request",
            [
                login(
                    from_="script",
                    headers={"hx-request": "false"},
                    expect={
                        "status": 200,
                        "to_broker": {},
                        "sets": [SECRET],
                        "json": {},
                        "headers": {"hx-redirect": None},
                    },
                )
            ],
        ),
        case(
            "login-by-script-of-another-site-is-refused",
            "a script is held to the same check, and is told as JSON",
            FETCH,
            [
                login(
                    from_="elsewhere",
                    headers={"sec-fetch-mode": "cors", "accept": "*/*"},
                    expect=as_json(problem("other_site", 403, "request_origin")),
                )
            ],
        ),
        case(
            "answer-by-script-leads-on-as-json",
            "a script that posts the fragment is told where to go",
            SCRIPT,
            [
                login(page="/members"),
                callback(
                    {
                        "status": 200,
                        "json": {"url": "/members"},
                        "login": {"email": ALICE, "same_browser": True},
                        "sets": [SIGNED_IN],
                    },
                    from_="script",
                ),
                callback({"status": 200, "json": {"url": "/members"}}, from_="script"),
            ],
        ),
        case(
            "answer-by-htmx-leads-on-by-its-header",
            "HX-Redirect has the page as well",
            "htmx: the response header HX-Redirect",
            [
                login(page="/members"),
                callback(
                    {
                        "status": 200,
                        "json": {"url": "/members"},
                        "headers": {"hx-redirect": "/members"},
                        "login": {"email": ALICE},
                        "sets": [SIGNED_IN],
                    },
                    from_="script",
                    headers=htmx,
                ),
            ],
        ),
        case(
            "answer-by-script-of-another-browser-is-asked-about-as-json",
            "the address and the fields that say yes",
            SCRIPT,
            [
                login(),
                callback(question, POSTED_AGAIN, browser=PHONE, from_="script"),
                resend(
                    {
                        "status": 200,
                        "json": {"url": "/"},
                        "login": {"email": ALICE, "same_browser": False},
                        "sets": [SIGNED_IN],
                    },
                    browser=PHONE,
                    from_="script",
                ),
            ],
        ),
        case(
            "answer-by-script-without-cookies-is-told-that-they-are-needed",
            "a script is never asked to post again; its yes needs the cookie of the question",
            BLOCKED,
            [
                login(),
                callback(question, POSTED_AGAIN, browser=PHONE, from_="script", keeps=False),
                resend(as_json(NO_COOKIES), browser=PHONE, from_="script", keeps=False),
            ],
        ),
        case(
            "answer-by-script-need-not-say-that-it-comes-again",
            "the broker's answer is enough",
            SCRIPT,
            [login(), callback(question, browser=PHONE, from_="script")],
        ),
        case(
            "login-by-a-visit-that-a-script-makes-is-told-as-json",
            "also the methods that are not taken",
            SCRIPT,
            [
                step(
                    "callback",
                    as_json(problem("post_only", 405, "request_method", headers={"allow": "POST"})),
                    method="GET",
                    from_="script",
                )
            ],
        ),
        case(
            "answer-that-was-used-by-script-is-told-as-json",
            "a problem as for pages",
            SCRIPT,
            [*whole_login(), callback(as_json(used()), from_="script", cookies={SIGNED_IN: None})],
        ),
    ]


def as_json(expected: dict[str, object]) -> dict[str, object]:
    """The response about a problem for a script."""
    name, status, error = (expected[member] for member in ("problem", "status", "error"))
    members = {
        "type": f"urn:portier-client:problem:{name}",
        "status": status,
        "code": error,
    }
    return {**expected, "json": members}
