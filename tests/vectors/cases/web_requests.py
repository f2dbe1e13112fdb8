"""Methods, targets, options, and login forms with other fields."""

from .mint import Case
from .web_rules import (
    EXACT,
    FORMS,
    FRAGMENT,
    OPEN,
    OPTIONS,
    POST_ONLY,
    SCRIPT,
    VISIT,
)
from .web_steps import (
    ALICE,
    SECRET,
    SITE,
    Step,
    again,
    callback,
    case,
    login,
    problem,
    refused_options,
    resend,
    signed_in,
    started,
    step,
)


def methods() -> list[Case]:
    """A GET request of a link, a mail scanner or a reload completes no login."""
    made = [
        case(
            f"visit-completes-no-login-{method.lower()}",
            "only a post does; nothing is used up",
            VISIT,
            [
                login(),
                step(
                    "callback",
                    POST_ONLY,
                    method=method,
                    from_="typed",
                    query="id_token={token}&state=",
                ),
                callback(again()),
                resend(signed_in()),
            ],
        )
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
    ]
    shows = {"status": 200, "shows": "fragment", "fields": []}
    made += [
        case(
            "fragment-is-posted-by-a-page-of-ours",
            "a visit shows a page with a script that posts the fragment to the same address",
            "OAuth 2.0 Multiple Response Types, section 2.1",
            [
                login(expect=started(to_broker={"response_mode": "fragment"})),
                step("callback", shows, method="GET", from_="broker"),
                callback(signed_in(), from_="site"),
            ],
            options=FRAGMENT,
        ),
        case(
            "fragment-page-has-a-head",
            "HEAD is answered like GET, without the page",
            "RFC 9110, section 9.3.2",
            [step("callback", {"status": 200, "shows": "fragment"}, method="HEAD", from_="typed")],
            options=FRAGMENT,
        ),
        case(
            "fragment-page-is-no-answer-to-other-methods",
            "they are refused",
            VISIT,
            [
                step(
                    "callback",
                    {**POST_ONLY, "headers": {"allow": "GET, HEAD, POST"}},
                    method="PUT",
                    from_="typed",
                )
            ],
            options=FRAGMENT,
        ),
    ]
    return made


def targets() -> list[Case]:
    """Which targets of requests are the callback."""
    plain = {
        "/verify": True,
        "/verify?utm_source=mail": True,
        "/verify?": True,
        "https://example.com/verify": True,
        "http://inside.example:8080/verify?x": True,
        "/verify/": False,
        "/Verify": False,
        "//verify": False,
        "/verify;x": False,
        "/verify%2f": False,
        "/%76erify": False,
        "/x/verify": False,
        "/": False,
        "/verify2": False,
        "https://example.com/verify/": False,
        "https://example.com": False,
        "https://example.com?/verify": False,
        "https://example.com?to=https://example.com/verify": False,
        "/?to=https://example.com/verify": False,
        "": False,
        "*": False,
    }
    below = {"redirect_uri": "https://example.com/app/verify", "callback_path": "/verify"}
    made = [
        case(
            "callback-is-one-path",
            "letter by letter, whatever a router takes for the same; a query does not matter",
            EXACT,
            [
                asked("callback_path", None, "/verify"),
                *[asked("is_callback", target, found) for target, found in plain.items()],
            ],
        ),
        case(
            "callback-below-a-prefix-that-a-proxy-takes-off",
            "the path that is answered is told apart from that of the redirect URI",
            "policy: a proxy may remove a prefix",
            [
                asked("callback_path", None, "/verify"),
                asked("is_callback", "/verify", True),
                asked("is_callback", "/app/verify", False),
                login(expect=started(to_broker={"redirect_uri": f"{SITE}/app/verify"})),
                callback(again()),
                resend(signed_in("/home")),
            ],
            options={**below, "default_next": "/home"},
        ),
    ]
    for name, path in {
        "root": "/",
        "deeper": "/auth/verify",
        "encoded": "/pr%C3%BCfen",
        "colon": "/a:b",
        "dot": "/verify.php",
        "space": "/ver%20ify",
    }.items():
        made.append(
            case(
                f"callback-is-where-the-redirect-uri-says-{name}",
                "its path as the URL parser writes it",
                EXACT,
                [
                    asked("callback_path", None, path),
                    asked("is_callback", path, True),
                    login(),
                    callback(again()),
                    resend(signed_in()),
                ],
                options={"redirect_uri": f"{SITE}{path}"},
            )
        )
    made.append(
        case(
            "callback-with-a-query-of-its-own",
            "a query of the redirect URI is no part of the path",
            EXACT,
            [
                asked("callback_path", None, "/verify"),
                login(),
                callback(again()),
                resend(signed_in()),
            ],
            options={"redirect_uri": f"{SITE}/verify?tenant=1"},
        )
    )
    return made


def other_forms() -> list[Case]:
    """A login form with other fields: the site reads it, and checks where it comes from."""
    return [
        case(
            "start-from-a-form-of-another-shape",
            "the site gives the address and the page; neither body nor origin is looked at",
            "policy: the site reads and checks its own form",
            [
                step("start", started(), email=ALICE, next="/a", from_="elsewhere"),
                callback(again()),
                resend(signed_in("/a")),
            ],
        ),
        case(
            "start-from-a-form-of-another-shape-keeps-pages-on-the-site",
            "a page that leads off the site is dropped",
            OPEN,
            [
                step("start", started(), email=ALICE, next="//evil.example"),
                callback(again()),
                resend(signed_in()),
            ],
        ),
        case(
            "start-from-a-form-of-another-shape-with-an-impossible-address",
            "as for the form of ours",
            "policy: invalid addresses are refused before the redirect",
            [step("start", problem("invalid_email", 400, "invalid_email"), email="no", next="")],
        ),
        case(
            "start-from-a-form-of-another-shape-by-script",
            "the answer is JSON as well",
            SCRIPT,
            [
                step(
                    "start",
                    {"status": 200, "to_broker": {}, "sets": [SECRET], "json": {}},
                    email=ALICE,
                    next="",
                    from_="script",
                )
            ],
        ),
    ]


def policies() -> list[Case]:
    """The policy of a page with a login form."""
    rest = "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    google, none = "https://accounts.google.com", []
    idp = ["https://idp.example.com"]
    rows: list[tuple[str, dict[str, object], list[str]]] = [
        ("default", {}, ["'self'", "{broker}", google]),
        ("alone", {"identity_providers": none}, ["'self'", "{broker}"]),
        ("other", {"identity_providers": idp}, ["'self'", "{broker}", *idp]),
    ]
    return [
        case(
            f"policy-of-a-login-page-names-where-its-form-leads-{name}",
            "the broker and the identity providers to which it sends people on at once",
            FORMS,
            [
                asked("form_targets", None, targets),
                asked(
                    "form_policy",
                    None,
                    f"default-src 'self'; form-action {' '.join(targets)}; {rest}",
                ),
            ],
            options=options,
        )
        for name, options, targets in rows
    ]


def options() -> list[Case]:
    """Invalid options, and properties of a flow with valid ones."""
    wrong: dict[str, dict[str, object]] = {
        "binding": {"browser_binding": "on"},
        "next-off-the-site": {"default_next": "//evil.example/"},
        "next-with-dots": {"default_next": "/.//evil.example"},
        "next-with-a-backslash": {"default_next": "/\\evil.example/"},
        "next-that-is-a-script": {"default_next": "javascript:alert(1)"},
        "next-with-a-line-feed": {"default_next": "/a\nb"},
        "next-relative": {"default_next": "members"},
        "next-empty": {"default_next": ""},
        "callback-path-relative": {"callback_path": "verify"},
        "callback-path-with-query": {"callback_path": "/verify?a=b"},
        "callback-path-empty": {"callback_path": ""},
        "provider-with-path": {"identity_providers": ["https://idp.example.com/login"]},
        "provider-that-is-a-directive": {"identity_providers": ["https://a.example; script-src *"]},
        "language-unknown": {"languages": ["tlh"]},
        "languages-none": {"languages": []},
        "language-without-its-texts": {"languages": ["sv"], "texts": {"sv": {"confirm.yes": "Ja"}}},
        "language-that-is-no-tag": {"languages": ['en"><b>']},
        "text-of-a-language-not-spoken": {"texts": {"de": {"confirm.yes": "Ja"}}},
        "text-empty": {"texts": {"en": {"confirm.yes": ""}}},
        "question-without-its-person": {"texts": {"en": {"confirm.heading": "Sign in?"}}},
        "login-url-empty": {"login_url": ""},
        "login-url-with-a-line-feed": {"login_url": "/in\n"},
        "text-unknown": {"texts": {"en": {"problem.no_such_problem.title": "x"}}},
    }
    made = [
        refused_options(f"options-{name}", "they are refused", OPTIONS, value)
        for name, value in wrong.items()
    ]
    made += [
        case(
            "flow-of-an-https-site-is-secure",
            "its cookies are",
            "RFC 6265bis, section 4.1.3.2",
            [asked("is_secure", None, True)],
            options={"redirect_uri": "HTTPS://Example.com/verify"},
        ),
        case(
            "flow-of-this-machine-is-not-secure",
            "cookies have no __Host- and no Secure there, or browsers would not keep them",
            "RFC 6265bis, section 4.1.3.2",
            [
                asked("is_secure", None, False),
                login(expect=started(sets=["portier"])),
                callback(again(sets=["portier-probe"])),
                resend(signed_in(sets=["portier-signed-in"])),
                resend({"status": 303, "location": "/"}),
            ],
            options={"redirect_uri": "http://localhost:8888/verify"},
        ),
        case(
            "safe-next-is-the-rule-of-the-flow",
            "with the hosts that the site allows",
            OPEN,
            [
                asked("safe_next", "/members", "/members"),
                asked("safe_next", "//evil.example", None),
                asked("safe_next", "https://shop.example.com/", "https://shop.example.com/"),
                asked("safe_next", "https://example.com/members", "/members"),
                asked("safe_next", "", None),
            ],
            options={"allowed_hosts": ["shop.example.com"]},
        ),
        case(
            "safe-next-compares-ports",
            "those of the redirect URI",
            OPEN,
            [
                asked("safe_next", "http://localhost:8888/members", "/members"),
                asked("safe_next", "http://localhost/members", None),
                asked("safe_next", "https://localhost:8888/members", None),
                asked("safe_next", "http://127.0.0.1:8888/members", None),
            ],
            options={"redirect_uri": "http://localhost:8888/verify"},
        ),
    ]
    return made


def asked(name: str, of: str | None, answer: object) -> Step:
    """A question to the flow, without a request."""
    about = {} if of is None else {"of": of}
    return {"do": "ask", "name": name, **about, "expect": {"answer": answer}}
