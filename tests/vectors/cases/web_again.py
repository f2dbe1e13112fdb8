"""Callbacks that are posted again, and browsers without cookies."""

from .mint import Case
from .web_rules import (
    BLOCKED,
    CONFIRMED,
    CSRF,
    DENIED,
    LAX,
    NO_COOKIES,
    OFF,
    REQUIRE,
)
from .web_steps import (
    ANSWER,
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
    login,
    problem,
    resend,
    signed_in,
    started,
)


def posting_again() -> list[Case]:
    """The page that posts a callback again, with the cookies of this site."""
    odd = "\"><script>'&"
    odd_answer = [["id_token", "{token}"], ["state", odd], ["error_description", odd]]
    twice = [*ANSWER, ANSWER[0]]
    forged = [["id_token", "{token}"], ["other", "y"], ["portier_confirmation", "z"]]
    return [
        case(
            "answer-is-posted-again-by-a-page-of-ours",
            "nothing is looked at, and nothing used up, before the cookies are there",
            LAX,
            [login(page="/members"), callback(again()), resend(signed_in("/members"))],
        ),
        case(
            "answer-is-taken-at-once-from-a-browser-whose-cookie-came-along",
            "a post that has the cookie need not come again",
            LAX,
            [login(), callback(signed_in(), from_="site")],
        ),
        case(
            "answer-that-is-posted-again-holds-the-parameters-of-the-broker-only",
            "neither fields of other names nor a confirmation travel on",
            LAX,
            [login(), callback(again(ANSWER[:1]), forged)],
        ),
        case(
            "answer-that-is-posted-again-is-escaped",
            "markup in a parameter is text",
            "HTML, section 13.3",
            [
                login(),
                callback(again(odd_answer, lacks=[odd, "<script>'"]), odd_answer),
                resend(signed_in()),
            ],
        ),
        case(
            "answer-with-repeated-parameters-is-refused-at-once",
            "which of the two is meant cannot be told, with cookies or without; nothing is used up",
            "RFC 6749, section 3.1: parameters are not repeated",
            [
                login(),
                callback(problem("not_confirmed", 400, "token_malformed"), twice),
                callback(again()),
                resend(signed_in()),
            ],
        ),
        case(
            "answer-that-another-site-claims-to-post-again-replaces-no-cookie",
            "what the browser says of the page counts for more than the field",
            LAX,
            [
                login(),
                callback(again(), POSTED_AGAIN, headers={"sec-fetch-site": "cross-site"}),
                callback(again(), POSTED_AGAIN, headers={"sec-fetch-site": "same-site"}),
                callback(signed_in(), from_="site"),
            ],
        ),
        case(
            "answer-that-an-old-browser-posts-again-is-believed",
            "without a word of the browser the field has to do",
            LAX,
            [
                login(),
                callback(again(), from_="old broker"),
                resend(signed_in(), from_="old"),
            ],
        ),
        case(
            "answer-is-posted-again-to-the-same-address",
            "the form has no action, so that a query and a path prefix stay",
            "HTML, section 4.10.21.3",
            [login(), callback(again(says=['<form method="post"']))],
            options={"callback_path": "/verify", "redirect_uri": "https://example.com/app/verify"},
        ),
    ]


def without_cookies() -> list[Case]:
    """Browsers that keep no cookies, or have lost them."""
    return [
        case(
            "browser-that-keeps-no-cookies-is-told-so-at-once",
            "there is no question first, and nothing is used up",
            BLOCKED,
            [
                login(keeps=False),
                callback(again(), keeps=False),
                resend(NO_COOKIES, keeps=False),
                *asked_on(),
                resend(elsewhere(), browser=PHONE),
            ],
        ),
        case(
            "browser-that-keeps-no-cookies-is-told-so-where-its-own-is-required",
            "the same, where logins end in their own browser only",
            BLOCKED,
            [login(keeps=False), callback(again(), keeps=False), resend(NO_COOKIES, keeps=False)],
            options=REQUIRE,
        ),
        case(
            "browser-that-keeps-no-cookies-is-told-so-whatever-the-answer-is",
            "also where the broker has refused",
            BLOCKED,
            [callback(again(DENIED), DENIED, keeps=False), resend(NO_COOKIES, keeps=False)],
        ),
        case(
            "browser-that-keeps-one-cookie-at-a-time-is-told-so",
            "a probe without the secret that came with the question",
            BLOCKED,
            [
                login(),
                *asked_on(),
                callback(
                    NO_COOKIES, CONFIRMED, browser=PHONE, from_="site", cookies={SECRET: None}
                ),
            ],
        ),
        case(
            "probe-of-another-value-is-a-probe",
            "what matters is that the browser keeps cookies",
            BLOCKED,
            [
                login(),
                callback(
                    asks(sets=[SECRET]),
                    POSTED_AGAIN,
                    browser=PHONE,
                    from_="site",
                    cookies={PROBE: "x"},
                ),
            ],
        ),
        case(
            "browser-that-loses-its-cookies-at-the-question-is-told-so",
            "a confirmation without the secret it belongs to",
            BLOCKED,
            [
                login(),
                *asked_on(),
                resend(NO_COOKIES, browser=PHONE, cookies={SECRET: None, PROBE: None}),
            ],
        ),
        case(
            "browser-that-loses-its-secret-only-is-told-so",
            "the same, where the cookie of the page before has stayed",
            BLOCKED,
            [login(), *asked_on(), resend(NO_COOKIES, browser=PHONE, cookies={SECRET: None})],
        ),
        case(
            "browser-that-loses-its-secret-before-the-answer-is-asked",
            "it is like any browser that did not start the login",
            CSRF,
            [
                login(),
                callback(again(), cookies={SECRET: None}),
                resend(asks(sets=[SECRET], secret="new")),
                resend(elsewhere()),
            ],
        ),
        case(
            "site-without-binding-needs-no-cookies",
            "a browser that keeps none signs in as far as we are concerned",
            "policy: a site may leave logins unbound",
            [
                login(keeps=False, expect=started(sets=[])),
                callback(elsewhere(sets=[]), keeps=False),
            ],
            options=OFF,
        ),
    ]
