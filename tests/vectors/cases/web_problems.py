"""The page of each problem, and its response for scripts."""

from .mint import Case
from .web_rules import (
    CANCELLED,
    CLOCK,
    DENIED,
    PROBLEM,
    REQUIRE,
    RETRY,
)
from .web_scripts import as_json
from .web_steps import (
    ALICE,
    PHONE,
    SECRET,
    SIGNED_IN,
    Step,
    again,
    callback,
    case,
    login,
    problem,
    resend,
    signed_in,
    step,
    used,
    whole_login,
)


def problems() -> list[Case]:
    """Each problem, on a page and for a script."""
    here: dict[str, object] = {"from_": "site"}
    start = login()
    gone = {SIGNED_IN: None}
    down: dict[str, object] = {"options": {"broker": "down"}}
    rows: list[tuple[str, list[Step], tuple[str, dict[str, object]], dict[str, object]]] = [
        (
            "over",
            [start],
            ("callback", {"form": token("unknown"), **here}),
            problem("over", 400, "session_unknown"),
        ),
        (
            "expired",
            [start],
            ("callback", {"form": token("expired"), **here}),
            problem("over", 400, "token_expired"),
        ),
        (
            "another-address",
            [start],
            ("callback", {"form": token("mallory"), **here}),
            problem("over", 400, "session_email"),
        ),
        ("used", whole_login(), ("callback", {"cookies": gone, **here}), used()),
        (
            "cancelled",
            [start],
            ("callback", {"form": DENIED, **here}),
            problem("cancelled", 403, "broker_error"),
        ),
        (
            "broker-error",
            [start],
            ("callback", {"form": [["error", "server_error"]], **here}),
            problem("not_confirmed", 400, "broker_error"),
        ),
        (
            "nothing",
            [start],
            ("callback", {"form": [], **here}),
            problem("not_confirmed", 400, "missing_token"),
        ),
        *[
            (
                f"token-{kind}",
                [start],
                ("callback", {"form": token(kind), **here}),
                problem("not_confirmed", 400, code),
            )
            for kind, code in {
                "audience": "token_audience",
                "issuer": "token_issuer",
                "stranger": "token_key_unknown",
                "none": "token_algorithm",
            }.items()
        ],
        (
            "junk",
            [start],
            ("callback", {"form": [["id_token", "a.b.c"]], **here}),
            problem("not_confirmed", 400, "token_malformed"),
        ),
        (
            "large-token",
            [start],
            ("callback", {"form": [["id_token", "{repeat:a:20000}"]], **here}),
            problem("not_confirmed", 400, "token_too_large"),
        ),
        (
            "clock-behind",
            [start],
            ("callback", {"form": token("early"), **here}),
            problem("clocks_differ", 503, "token_clock", **RETRY),
        ),
        (
            "clock-ahead",
            [start],
            ("callback", {"form": token("future"), **here}),
            problem("clocks_differ", 503, "token_not_yet_valid", **RETRY),
        ),
        (
            "store-at-the-end",
            [start],
            ("callback", {"store": "down", **here}),
            problem("not_possible", 503, "store_failed", **RETRY),
        ),
        (
            "store-at-the-start",
            [],
            ("login", {"form": [["email", ALICE]], "store": "down"}),
            problem("not_possible", 503, "store_failed", **RETRY),
        ),
        (
            "invalid-email",
            [],
            ("login", {"form": [["email", "nobody"]]}),
            problem("invalid_email", 400, "invalid_email"),
        ),
        (
            "not-a-form",
            [],
            ("login", {"body": "{}", "headers": {"content-type": "application/json"}}),
            problem("not_a_form", 415, "request_form"),
        ),
        (
            "too-large",
            [],
            ("login", {"form": [["email", "{repeat:a:70000}"]]}),
            problem("too_large", 413, "request_too_large"),
        ),
    ]
    made: list[Case] = []
    for name, before, (do, how), expected in rows:
        given = {"form": [["id_token", "{token}"], ["state", ""]], **how}
        if "body" in how:
            del given["form"]
        made += [
            case(
                f"problem-{name}-as-a-page",
                "one status, one page, and nothing of the message for developers",
                PROBLEM,
                [
                    *before,
                    step(
                        do,
                        {**expected, "lacks": ["code=", "limit=", "session_", "token_"]},
                        **given,
                    ),
                ],
            ),
            case(
                f"problem-{name}-for-a-script",
                "the same status, and its code",
                "RFC 9457",
                [*before, step(do, as_json(expected), **{**given, "from_": "script"})],
            ),
        ]
    made += [
        case(
            "problem-broker-down-as-a-page",
            "a broker that does not answer is said to be down",
            PROBLEM,
            [
                login(
                    expect={"status": 503, "problem": "broker_unavailable", "error": None, **RETRY}
                )
            ],
            **down,  # type: ignore[arg-type]
        ),
        case(
            "problem-broker-down-for-a-script",
            "a broker that does not answer is said to be down",
            "RFC 9457",
            [
                login(
                    from_="script",
                    expect={
                        "status": 503,
                        "problem": "broker_unavailable",
                        "error": None,
                        "json": {"status": 503},
                        **RETRY,
                    },
                )
            ],
            **down,  # type: ignore[arg-type]
        ),
        case(
            "problem-page-leads-to-the-login-form",
            "its address is escaped",
            "HTML, section 13.3",
            [
                login(
                    "nobody",
                    expect=problem(
                        "invalid_email",
                        400,
                        "invalid_email",
                        says=['href="/in?%22%3E%3Cscript%3E%27&"'],
                        lacks=["<script>'"],
                    ),
                )
            ],
            options={"login_url": "/in?\"><script>'&"},
        ),
        case(
            "problem-of-a-wrong-clock-leaves-the-login-as-it-is",
            "once the clock is right, the login can be completed",
            CLOCK,
            [
                login(),
                callback(
                    problem("clocks_differ", 503, "token_clock", **RETRY),
                    token("early"),
                    from_="site",
                ),
                callback(signed_in(), from_="site"),
            ],
        ),
        case(
            "problem-of-a-forged-token-leaves-the-login-as-it-is",
            "what is refused for itself uses nothing up",
            "OpenID Connect Core, section 3.1.3.7",
            [
                login(),
                *[
                    callback(problem("not_confirmed", 400, code), token(kind), from_="site")
                    for kind, code in {
                        "audience": "token_audience",
                        "stranger": "token_key_unknown",
                    }.items()
                ],
                callback(problem("cancelled", 403, "broker_error"), DENIED, from_="site"),
                callback(signed_in(), from_="site"),
            ],
        ),
        case(
            "problem-of-a-store-that-is-down-leaves-the-login-as-it-is",
            "the answer can be posted again when the store is back",
            "policy: an outage uses nothing up",
            [
                login(),
                callback(
                    problem("not_possible", 503, "store_failed", **RETRY),
                    from_="site",
                    store="down",
                ),
                callback(signed_in(), from_="site"),
            ],
        ),
        case(
            "answer-with-a-state-that-nobody-gave-out",
            "a state changes nothing",
            "policy: a state is not trusted",
            [
                login(),
                callback(
                    signed_in(login={"email": ALICE, "state": "forged"}),
                    [["id_token", "{token}"], ["state", "forged"]],
                    from_="site",
                ),
            ],
        ),
        case(
            "answer-with-what-was-typed-names-nobody",
            "an account is the normalized address, not what was typed",
            "Portier: email is the identity",
            [
                login("a.lice@example.com"),
                callback(signed_in(), token("normalized"), from_="site"),
            ],
        ),
        case(
            "problem-of-a-missing-browser-has-no-form",
            "there is nothing to press",
            PROBLEM,
            [
                login(),
                callback(again(), browser=PHONE),
                resend(
                    problem(
                        "other_browser",
                        400,
                        "session_browser",
                        sets=[SECRET],
                        lacks=["<form", "<script"],
                    ),
                    browser=PHONE,
                ),
            ],
            options=REQUIRE,
        ),
    ]
    return made


def typed_again() -> list[Case]:
    """What was typed into a login form, for a site that shows its form again."""
    invalid = problem("invalid_email", 400, "invalid_email")
    shelf = "/members?shelf=1"
    markup = "\"><script>'&"
    twice = [["email", ALICE], ["email", ALICE], ["next", shelf]]
    rows: list[tuple[str, Step, dict[str, object]]] = [
        ("with-its-page", login("nobody", shelf, expect=invalid), typed("nobody", shelf)),
        ("with-markup", login(markup, expect={**invalid, "lacks": [markup]}), typed(markup)),
        ("empty", login("", expect=invalid), typed("")),
        ("without-another-site", login("no", "//evil.example", expect=invalid), typed("no")),
        ("missing", step("login", invalid, form=[["next", shelf]]), typed(None, shelf)),
        ("twice", step("login", invalid, form=twice), typed(None, shelf)),
        ("of-another-shape", step("start", invalid, email="no", next="/a"), typed("no", "/a")),
        (
            "while-the-store-is-down",
            login(expect=problem("not_possible", 503, "store_failed", **RETRY), store="down"),
            typed(ALICE),
        ),
        (
            "of-another-site",
            login(
                expect=problem("other_site", 403, "request_origin"),
                headers={"sec-fetch-site": "cross-site"},
            ),
            typed(None),
        ),
        (
            "unless-it-is-a-callback",
            callback(CANCELLED, [*DENIED, ["email", ALICE], ["next", shelf]], from_="site"),
            typed(None),
        ),
    ]
    return [
        case(
            f"problem-knows-the-typed-address-{name}",
            "so that the person need not type it again",
            "policy: a typing error costs one correction",
            [login(), {**given, "expect": {**given["expect"], "typed": expected}}],  # type: ignore[dict-item]
        )
        for name, given, expected in rows
    ]


def typed(email: str | None, page: str | None = None) -> dict[str, object]:
    """The fields of a problem with what was typed."""
    return {"typed_email": email, "next": page}


def token(kind: str) -> list[list[str]]:
    """A callback with a token of the given kind."""
    return [["id_token", f"{{token:{kind}}}"], ["state", ""]]
