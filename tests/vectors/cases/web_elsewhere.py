"""Logins that end in another browser than the one that started them."""

from .mint import Case
from .web_rules import (
    CANCELLED,
    CONFIRMED,
    CSRF,
    DENIED,
    LAX,
    OFF,
    ONCE,
    OTHER_BROWSER,
    PROOF,
    REQUIRE,
)
from .web_steps import (
    AGAIN,
    PHONE,
    POSTED_AGAIN,
    PROBE,
    SECRET,
    again,
    asked_on,
    asks,
    callback,
    case,
    elsewhere,
    leads_on,
    login,
    resend,
    signed_in,
    started,
    used,
    whole_login,
)


def elsewhere_cases() -> list[Case]:
    """A login that ends in another browser, for example if the mail is read on a phone."""
    twice = [*CONFIRMED, ["portier_confirmation", "{field:portier_confirmation}"]]
    empty = [*POSTED_AGAIN, ["portier_confirmation", ""]]
    wrong = [*POSTED_AGAIN, ["portier_confirmation", "{repeat:A:43}"]]
    not_text = [["id_token", "{token}"], ["portier_confirmation", None]]
    asked = asks()
    described = [["id_token", "{token}"], ["state", "s"], ["error_description", "x"]]
    return [
        case(
            "login-goes-on-in-another-browser-once-its-person-says-so",
            "the person is asked, confirms, and is led to the page of the login",
            CSRF,
            [login(page="/members"), *asked_on(), resend(elsewhere("/members"), browser=PHONE)],
        ),
        case(
            "question-changes-nothing",
            "whoever does not confirm goes on in the first browser",
            CSRF,
            [
                login(),
                *asked_on(),
                callback(again()),
                resend(signed_in()),
                resend(used(), browser=PHONE),
            ],
        ),
        case(
            "question-may-be-reloaded",
            "the same question comes again, for the same browser",
            CSRF,
            [
                login(),
                *asked_on(),
                callback(asks(secret="kept"), POSTED_AGAIN, browser=PHONE, from_="site"),
                callback(again(), browser=PHONE),
                resend(asks(secret="kept"), browser=PHONE),
                resend(elsewhere(), browser=PHONE),
            ],
        ),
        case(
            "question-leaves-a-description-behind",
            "what is posted with a yes is the answer, without the words of an error",
            CSRF,
            [
                login(),
                callback(again(described), described, browser=PHONE),
                resend(
                    asks(
                        sets=[SECRET],
                        fields=[*described[:2], AGAIN, ["portier_confirmation", None]],
                    ),
                    browser=PHONE,
                ),
            ],
        ),
        case(
            "question-names-its-person-as-text",
            "markup in an address is text",
            "HTML, section 13.3",
            [
                login('"<b>&"@example.com'),
                callback(again(), browser=PHONE),
                resend(
                    asks('"<b>&"@example.com', sets=[SECRET], lacks=["<b>"]),
                    browser=PHONE,
                ),
            ],
        ),
        case(
            "question-leads-back-to-the-login-form",
            "whoever says no comes to the login page; its address is escaped",
            "HTML, section 13.3",
            [
                login(),
                callback(again(), browser=PHONE),
                resend(
                    asks(
                        sets=[SECRET],
                        says=['href="/in?%22%3E%3Cscript%3E%27&"'],
                        lacks=["<script>'"],
                    ),
                    browser=PHONE,
                ),
            ],
            options={"login_url": "/in?\"><script>'&"},
        ),
        *[
            case(
                f"confirmation-{name}-is-none",
                "the person is asked again",
                CSRF,
                [
                    login(),
                    *asked_on(),
                    callback(asked, form, browser=PHONE, from_="site"),
                    callback(elsewhere(), CONFIRMED, browser=PHONE, from_="site"),
                ],
            )
            for name, form in [("twice", twice), ("empty", empty), ("wrong", wrong)]
        ],
        case(
            "confirmation-empty-in-a-browser-without-a-secret-is-none",
            "there is no reason to say that cookies are needed",
            CSRF,
            [
                login(),
                callback(
                    asks(sets=[SECRET]), empty, browser=PHONE, from_="site", cookies={PROBE: "1"}
                ),
            ],
        ),
        case(
            "confirmation-that-is-a-file-is-none",
            "the person is asked",
            CSRF,
            [
                login(),
                callback(
                    asks(fields=[["id_token", "{token}"], AGAIN, ["portier_confirmation", None]]),
                    not_text,
                    browser=PHONE,
                    from_="site",
                    given="fields",
                    cookies={SECRET: "{repeat:B:43}"},
                ),
            ],
        ),
        case(
            "confirmation-twice-completes-once",
            "a second press of the button leads on silently: this browser was signed in",
            ONCE,
            [
                login(page="/a"),
                *asked_on(),
                callback(elsewhere("/a"), CONFIRMED, browser=PHONE, from_="site"),
                callback(leads_on("/a"), CONFIRMED, browser=PHONE, from_="site"),
            ],
        ),
        case(
            "login-that-another-browser-has-finished-is-told-as-that",
            "the browser that started it is not led on silently: nobody is signed in there",
            PROOF,
            [
                login(),
                *asked_on(),
                resend(elsewhere(), browser=PHONE),
                callback(again()),
                resend(used()),
            ],
        ),
        case(
            "login-that-was-finished-is-told-as-that-where-its-browser-is-required",
            "another browser learns that it was used, and not whose it was",
            ONCE,
            [
                *whole_login(),
                callback(again(), browser=PHONE),
                resend(used(sets=[SECRET]), browser=PHONE),
            ],
            options=REQUIRE,
        ),
        case(
            "cancelled-login-in-another-browser",
            "an error of the broker is posted again as well, and then told",
            LAX,
            [
                login(),
                callback(again(DENIED), DENIED, browser=PHONE),
                resend({**CANCELLED, "sets": [SECRET]}, browser=PHONE),
                callback(again()),
                resend(signed_in()),
            ],
        ),
        case(
            "login-that-requires-its-browser-is-refused-in-another",
            "there is no question, and nothing is used up",
            CSRF,
            [
                login(),
                callback(again(), browser=PHONE),
                resend({**OTHER_BROWSER, "sets": [SECRET], "lacks": ["<form"]}, browser=PHONE),
                callback(again()),
                resend(signed_in()),
            ],
            options=REQUIRE,
        ),
        case(
            "login-bound-to-no-browser-belongs-to-none",
            "one that the site has started by hand is asked about like that of another browser",
            CSRF,
            [
                {"do": "authenticate", "session": "/a", "expect": {}},
                *asked_on(),
                resend(elsewhere("/a"), browser=PHONE),
            ],
        ),
        case(
            "login-on-a-site-without-binding-ends-anywhere",
            "no cookie is set, and none is asked for",
            "policy: a site may leave logins unbound",
            [
                login(page="/a", expect=started(sets=[])),
                callback(elsewhere("/a", sets=[]), browser=PHONE),
                callback(used(), browser=PHONE),
                callback(used()),
            ],
            options=OFF,
        ),
        case(
            "login-on-a-site-without-binding-ignores-the-secret-of-before",
            "a cookie from the time when the site did bind logins changes nothing",
            "policy: a site may leave logins unbound",
            [
                login(cookies={SECRET: "{repeat:A:43}"}, expect=started(sets=[])),
                callback(elsewhere(sets=[]), from_="site"),
            ],
            options=OFF,
        ),
    ]
