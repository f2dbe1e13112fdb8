"""Attacks: with the attacker's own login, with a stolen token, with texts."""

from .mint import Case
from .web_rules import (
    CONFIRMED,
    CSRF,
    MALLORY,
    NO_COOKIES,
    OFF,
    ONCE,
    OTHER_BROWSER,
    OWASP,
    REQUIRE,
    VICTIM,
)
from .web_steps import (
    ALICE,
    ANSWER,
    PHONE,
    POSTED_AGAIN,
    SECRET,
    THIEF,
    Step,
    again,
    asked_on,
    asks,
    callback,
    case,
    elsewhere,
    login,
    problem,
    resend,
    signed_in,
    started,
    used,
    whole_login,
)

STOLEN = [*POSTED_AGAIN, ["portier_confirmation", "{field:phone:portier_confirmation}"]]

ADDRESSES = {
    "two-lines": "alice@example.com\r\nBcc: mallory@example.com",
    "local-part": "alice\r\nBcc:mallory@example.com",
    "line-feed": "alice\n@example.com",
    "nul": "alice\0@example.com",
    "next-line": "alice\u0085@example.com",
    "tab": "alice@example.com\t",
}


def csrf() -> list[Case]:
    """An attacker makes the victim's browser post the token of the attacker's own login."""
    before: dict[str, list[Step]] = {
        "been-nowhere": [],
        "started-a-login": [login("victim@example.com", browser=VICTIM)],
        "logged-in": whole_login("victim@example.com", browser=VICTIM),
    }
    made: list[Case] = []
    for what, steps in before.items():
        sets = [SECRET] if what == "been-nowhere" else []
        for how, form in [("as-it-is", ANSWER), ("as-if-posted-again", POSTED_AGAIN)]:
            made.append(
                case(
                    f"answer-of-an-attacker-signs-nobody-in-who-has-{what}-{how}",
                    "the victim is asked, by name; the login stays the attacker's",
                    CSRF,
                    [
                        *steps,
                        login(MALLORY),
                        callback(again(), form, browser=VICTIM),
                        resend(asks(MALLORY, sets=sets), browser=VICTIM),
                        callback(again()),
                        resend(signed_in("/", MALLORY)),
                    ],
                )
            )
        no_cookies = what == "been-nowhere"
        made.append(
            case(
                f"confirmation-of-an-attacker-signs-nobody-in-who-has-{what}",
                "a confirmation is of one browser; from another site it is not even read",
                CSRF,
                [
                    *steps,
                    login(MALLORY),
                    *asked_on(email=MALLORY),
                    callback(again(), STOLEN, browser=VICTIM),
                    callback(
                        NO_COOKIES if no_cookies else asks(MALLORY),
                        STOLEN,
                        browser=VICTIM,
                        from_="site",
                    ),
                    resend(elsewhere("/", MALLORY), browser=PHONE),
                ],
            )
        )
    other = [["id_token", "{token:genuine:other}"], ["state", ""]]
    return [
        *made,
        case(
            "confirmation-is-of-one-token",
            "what was confirmed for one login completes no other, in the same browser",
            CSRF,
            [
                login(MALLORY, as_="other"),
                login(ALICE, browser=THIEF),
                *asked_on(),
                callback(
                    asks(
                        MALLORY,
                        fields=[*other, ["portier_again", "1"], ["portier_confirmation", None]],
                    ),
                    [*other, ["portier_again", "1"], CONFIRMED[-1]],
                    browser=PHONE,
                    from_="site",
                ),
            ],
        ),
        case(
            "confirmation-of-the-time-before-is-not-taken-where-the-browser-is-required",
            "a site that requires the browser asks nobody, and takes no yes",
            CSRF,
            [
                login(),
                callback(
                    OTHER_BROWSER,
                    [*POSTED_AGAIN, ["portier_confirmation", "{repeat:A:43}"]],
                    browser=PHONE,
                    from_="site",
                    cookies={SECRET: "{repeat:B:43}"},
                ),
                callback(again()),
                resend(signed_in()),
            ],
            options=REQUIRE,
        ),
    ]


def thieves() -> list[Case]:
    """Somebody has a token of another person, unused or used."""
    return [
        case(
            "thief-of-a-fresh-answer-is-asked",
            "whoever has it could as well have read the mail; its person is told plainly",
            CSRF,
            [
                login(),
                *asked_on(THIEF),
                resend(elsewhere(), browser=THIEF),
                callback(again()),
                resend(used()),
            ],
        ),
        case(
            "thief-of-a-fresh-answer-is-refused-where-the-browser-is-required",
            "the login stays its person's",
            CSRF,
            [
                login(),
                callback(again(), browser=THIEF),
                resend({**OTHER_BROWSER, "sets": [SECRET]}, browser=THIEF),
                callback(OTHER_BROWSER, POSTED_AGAIN, browser=THIEF, from_="site"),
                callback(again()),
                resend(signed_in()),
            ],
            options=REQUIRE,
        ),
        case(
            "thief-of-a-fresh-answer-is-signed-in-where-logins-are-not-bound",
            "which is why they are by default",
            CSRF,
            [
                login(expect=started(sets=[])),
                callback(elsewhere(sets=[]), browser=THIEF),
                callback(used()),
            ],
            options=OFF,
        ),
        case(
            "thief-of-a-used-answer-gets-nothing",
            "also with the proof of another login in the same browser",
            ONCE,
            [
                *whole_login(as_="first"),
                *whole_login(MALLORY, browser=THIEF),
                callback(
                    used(), [["id_token", "{token:genuine:first}"]], browser=THIEF, from_="site"
                ),
            ],
        ),
    ]


def texts_of_attackers() -> list[Case]:
    """Texts that an attacker wants on a page of this site, or in a header."""
    markup = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>'&", "\u202eevil"]
    failed = problem("not_confirmed", 400, "broker_error")
    made: list[Case] = []
    for number, text in enumerate(markup, 1):
        forms = {
            "error": [["error", text]],
            "description": [["error", "server_error"], ["error_description", text]],
            "state": [["error", "server_error"], ["state", text]],
        }
        made += [
            case(
                f"{what}-of-the-broker-is-not-shown-{number}",
                "anybody can post it",
                OWASP,
                [callback({**failed, "sets": [], "lacks": [text, "evil"]}, form)],
                options=OFF,
            )
            for what, form in forms.items()
        ]
    made += [
        case(
            f"address-of-a-token-that-would-begin-a-header-signs-nobody-in-{name}",
            "a genuine token with an impossible address",
            "Portier: email is in normalized form",
            [
                login(),
                callback(
                    again([["id_token", f"{{token:address-{name}}}"]]),
                    [["id_token", f"{{token:address-{name}}}"]],
                ),
                resend(problem("not_confirmed", 400, "token_claim", lacks=["mallory"])),
            ],
        )
        for name in ADDRESSES
    ]
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "cors", "accept": "*/*"}
        made.append(
            case(
                f"answer-given-to-a-script-that-is-{site}-sets-no-secret",
                "it would replace the one of this browser, and with it the logins under way",
                CSRF,
                [
                    login(),
                    callback(again(), from_="elsewhere", headers=headers),
                    callback(signed_in(), from_="site"),
                ],
            )
        )
    return made
