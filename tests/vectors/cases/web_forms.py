"""The origin of forms, and requests that are no form."""

from .mint import Case
from .web_rules import (
    FETCH,
    FORM_RULE,
    INVALID,
    OTHER_SITE,
    SIZE,
)
from .web_steps import (
    FORM,
    SITE,
    again,
    callback,
    case,
    login,
    problem,
    resend,
    signed_in,
    started,
    step,
)


def provenance() -> list[Case]:
    """Forms of other sites start no logins: they could send mails in the name of this site."""
    refused: dict[str, dict[str, object]] = {
        "another-site": {"sec-fetch-site": "cross-site", "origin": "null"},
        "a-host-beside-it": {"sec-fetch-site": "same-site", "origin": "https://www.example.com"},
        "said-with-the-right-origin": {"sec-fetch-site": "cross-site", "origin": SITE},
        "an-empty-word": {"sec-fetch-site": ""},
        "an-unheard-of-word": {"sec-fetch-site": "same-origin, cross-site"},
        "a-word-in-capitals": {"sec-fetch-site": "Same-Origin"},
        "old-browser-null": {"sec-fetch-site": None, "origin": "null"},
        "old-browser-another-site": {"sec-fetch-site": None, "origin": "https://evil.example"},
        "old-browser-a-longer-host": {"sec-fetch-site": None, "origin": f"{SITE}.evil.example"},
        "old-browser-another-scheme": {"sec-fetch-site": None, "origin": "http://example.com"},
        "old-browser-another-port": {"sec-fetch-site": None, "origin": f"{SITE}:8443"},
        "old-browser-a-host-beside-it": {
            "sec-fetch-site": None,
            "origin": "https://www.example.com",
        },
        "old-browser-empty-origin": {"sec-fetch-site": None, "origin": ""},
        "said-twice": {"sec-fetch-site": ["same-origin", "cross-site"]},
        "said-twice-the-same": {"sec-fetch-site": ["same-origin", "same-origin"]},
        "old-browser-two-origins": {
            "sec-fetch-site": None,
            "origin": [SITE, "https://evil.example"],
        },
    }
    taken: dict[str, dict[str, object]] = {
        "same-origin": {},
        "typed-or-bookmarked": {"sec-fetch-site": "none", "origin": None},
        "no-referrer": {"sec-fetch-site": "same-origin", "origin": "null"},
        "old-browser": {"sec-fetch-site": None, "origin": SITE},
        "no-browser": {"sec-fetch-site": None, "sec-fetch-mode": None, "origin": None},
    }
    made = [
        case(
            f"form-from-elsewhere-{name}",
            "no login starts, and no cookie is set",
            FETCH,
            [login(headers=headers, expect=OTHER_SITE)],
        )
        for name, headers in refused.items()
    ]
    made += [
        case(f"form-from-here-{name}", "a login starts", FETCH, [login(headers=headers)])
        for name, headers in taken.items()
    ]
    null = {"sec-fetch-site": None, "origin": "null"}
    checked: dict[str, object] = {"form_token_checked": True}
    token = "policy: Origin null identifies no site, and a form token of the site is enough"
    return [
        *made,
        case(
            "form-from-nowhere-with-a-token-of-the-site",
            "a site that has checked its own form token takes a form of origin null",
            token,
            [login(headers=null)],
            options=checked,
        ),
        case(
            "form-from-nowhere-with-a-token-that-this-request-had",
            "the same, said of one request",
            token,
            [login(headers=null, form_token_checked=True)],
        ),
        case(
            "form-from-another-site-with-a-token-of-the-site",
            "another site that is named stays another site",
            token,
            [
                login(
                    headers={"sec-fetch-site": "cross-site", "origin": "null"}, expect=OTHER_SITE
                ),
                login(
                    headers={"sec-fetch-site": None, "origin": "https://evil.example"},
                    expect=OTHER_SITE,
                ),
            ],
            options=checked,
        ),
        case(
            "form-on-another-name-of-this-machine",
            "127.0.0.1 is not localhost",
            FETCH,
            [
                login(
                    headers={"sec-fetch-site": None, "origin": "http://127.0.0.1:8888"},
                    expect=OTHER_SITE,
                )
            ],
            options={"redirect_uri": "http://localhost:8888/verify"},
        ),
        case(
            "form-from-elsewhere-is-not-read",
            "where a form comes from is looked at before what it is",
            FETCH,
            [
                step(
                    "login",
                    OTHER_SITE,
                    from_="elsewhere",
                    body="{}",
                    headers={"content-type": "application/json"},
                )
            ],
        ),
    ]


def shapes() -> list[Case]:
    """Requests that are no form, for login and callback."""
    made: list[Case] = []
    no_form = problem("not_a_form", 415, "request_form")
    types: dict[str, dict[str, object]] = {
        "json": {"content-type": "application/json"},
        "text": {"content-type": "text/plain"},
        "multipart": {"content-type": "multipart/form-data; boundary=x"},
        "longer-type": {"content-type": f"{FORM}x"},
        "no-type": {"content-type": None},
        "empty-type": {"content-type": ""},
        "two-types": {"content-type": f"text/plain, {FORM}"},
        "gzip": {"content-encoding": "gzip"},
    }
    ends: list[tuple[str, str]] = [
        ("login", "email=alice%40example.com"),
        ("callback", "id_token=a.b.c&state="),
    ]
    for do, body in ends:
        made += [
            case(
                f"{do}-takes-forms-only-{name}",
                "what is not an urlencoded form is not read",
                "RFC 1866, section 8.2.1",
                [step(do, no_form, body=body, headers=headers)],
            )
            for name, headers in types.items()
        ]
        made.append(
            case(
                f"{do}-takes-at-most-64-kib",
                "a form of more bytes is refused",
                SIZE,
                [
                    step(
                        do,
                        problem("too_large", 413, "request_too_large"),
                        form=[["id_token", "{repeat:a:70000}"]],
                    )
                ],
            )
        )
        made.append(
            case(
                f"{do}-of-a-body-that-was-too-large-to-read",
                "the face stops reading, and says so",
                SIZE,
                [step(do, problem("too_large", 413, "request_too_large"), given="too_large")],
            )
        )
        made.append(
            case(
                f"{do}-of-a-body-that-was-read-before",
                "a body that was read before and kept nowhere is the developer's mistake",
                "policy: a mistake of the site is reported to its developer",
                [step(do, problem("internal", 500, "invalid_option"), given="unreadable")],
            )
        )
    made += [
        case(
            "form-with-its-type-in-capitals-and-a-parameter",
            "types are compared without regard to case and parameters",
            "RFC 9110, section 8.3.1",
            [login(headers={"content-type": f"{FORM.upper()} ; charset=UTF-8"})],
        ),
        case(
            "form-with-no-encoding-by-name",
            "identity is no encoding",
            "RFC 9110, section 8.4",
            [login(headers={"content-encoding": "identity"})],
        ),
        case(
            "form-of-many-fields",
            "a form below the limit is taken apart, however many fields it has",
            SIZE,
            [step("login", started(), body="email=alice%40example.com{repeat:&b:30000}")],
        ),
        case(
            "login-from-fields-that-the-framework-has-read",
            "names and values are taken as the framework gives them",
            FORM_RULE,
            [
                login(page="/a", given="fields"),
                callback(again(), given="fields"),
                resend(signed_in("/a"), given="fields"),
            ],
        ),
        case(
            "login-from-a-file",
            "an uploaded file is no address",
            "RFC 6749, appendix B: parameters are text",
            [step("login", INVALID, form=[["email", None]], given="fields")],
        ),
    ]
    return made
