"""The second half of a login: the answer of the broker, in one browser or in another one."""

from .mint import Case
from .web_rules import (
    BLOCKED,
    CONFIRMED,
    CSRF,
    LAX,
    NO_COOKIES,
    OFF,
    ONCE,
    OTHER_BROWSER,
    PROOF,
    REQUIRE,
)
from .web_steps import (
    AGAIN,
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
    leads_on,
    login,
    problem,
    resend,
    signed_in,
    started,
    used,
)


def posting_again() -> list[Case]:
    """The page that posts an answer again, with the cookies of this site."""
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


def elsewhere_cases() -> list[Case]:
    """A login that ends in another browser, as when mail is opened on a phone."""
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
                    asks(sets=[SECRET], says=['href="/in?"><script>\'&"'], lacks=['/in?"']),
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
