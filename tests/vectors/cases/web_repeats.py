"""The same callback more than once."""

from .mint import Case
from .web_rules import (
    CSRF,
    OFF,
    ONCE,
    OVER,
    PROOF,
    REQUIRE,
)
from .web_steps import (
    ALICE,
    DESK,
    PHONE,
    SECRET,
    SIGNED_IN,
    THIEF,
    again,
    asked_on,
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


def repeats() -> list[Case]:
    """The same callback more than once."""
    hook_failed = {"status": 500, "login": {"email": ALICE, "same_browser": True}}
    failed_elsewhere = {"status": 500, "login": {"email": ALICE, "same_browser": False}}
    answered = {"status": 201, "login": {"email": ALICE}, "sets": [SIGNED_IN], "says": ["hello"]}
    refused = {"status": 403, "login": {"email": ALICE}, "says": ["for staff only"]}
    return [
        case(
            "reload-after-the-login-leads-on",
            "to the page of the login, silently, as often as it is asked",
            PROOF,
            [
                *whole_login(page="/members"),
                resend(leads_on("/members")),
                resend(leads_on("/members")),
                callback(again()),
                resend(leads_on("/members")),
            ],
        ),
        case(
            "reload-after-the-login-leads-to-the-default",
            "where the login had no page",
            PROOF,
            [*whole_login(expect=signed_in("/home")), resend(leads_on("/home"))],
            options={"default_next": "/home"},
        ),
        case(
            "reload-after-the-login-leads-on-to-an-allowed-host",
            "the page may be on another host of the site",
            PROOF,
            [
                *whole_login(page="https://shop.example.com/cart"),
                resend(leads_on("https://shop.example.com/cart")),
            ],
            options={"allowed_hosts": ["shop.example.com"]},
        ),
        case(
            "reload-after-the-login-leads-on-to-a-default-elsewhere",
            "the site itself has chosen it",
            PROOF,
            [
                *whole_login(expect=signed_in("https://app.example.net/welcome")),
                resend(leads_on("https://app.example.net/welcome")),
            ],
            options={"default_next": "https://app.example.net/welcome"},
        ),
        case(
            "reload-after-the-login-leads-on-where-its-browser-is-required",
            "the same with the strict binding",
            PROOF,
            [*whole_login(page="/a"), resend(leads_on("/a"))],
            options=REQUIRE,
        ),
        case(
            "reload-after-the-site-has-failed-says-that-the-login-is-over",
            "the token is used up, and nobody is signed in: no silent redirect",
            PROOF,
            [
                login(page="/members"),
                callback(again()),
                resend(hook_failed, hook="throws"),
                resend(used()),
            ],
        ),
        case(
            "reload-while-the-site-is-slow-says-that-the-login-was-used",
            "the second post comes before the cookies of the first",
            PROOF,
            [login(), callback(again()), resend(signed_in(), keeps=False), resend(used())],
        ),
        case(
            "reload-on-another-device-after-the-site-has-failed-says-that-the-login-was-used",
            "a login that was confirmed there is not over before the site says so",
            PROOF,
            [
                login(),
                *asked_on(),
                resend(failed_elsewhere, browser=PHONE, hook="throws"),
                resend(used(), browser=PHONE),
                callback(again()),
                resend(used()),
            ],
        ),
        case(
            "login-after-the-site-has-failed-is-a-new-one",
            "whoever starts again is signed in",
            PROOF,
            [
                login(),
                callback(again()),
                resend(hook_failed, hook="throws"),
                *whole_login(page="/b"),
                resend(leads_on("/b")),
            ],
        ),
        case(
            "reload-after-the-site-has-answered-itself-leads-on",
            "an answer of the site with a good status is a login",
            PROOF,
            [
                login(page="/a"),
                callback(again()),
                resend(answered, hook=[201, "hello"]),
                resend(leads_on("/a")),
            ],
        ),
        case(
            "reload-after-the-site-has-refused-says-that-the-login-was-used",
            "an answer of the site that refuses is none",
            PROOF,
            [
                login(page="/a"),
                callback(again()),
                resend(refused, hook=[403, "for staff only"]),
                resend(used()),
            ],
        ),
        case(
            "reload-when-the-proof-is-old-says-that-the-login-was-used",
            "the proof is kept for ten minutes",
            PROOF,
            [*whole_login(), resend(used(), advance=650)],
        ),
        case(
            "answer-that-was-used-is-nobody-elses",
            "another browser gets no question about it",
            ONCE,
            [
                *whole_login(),
                callback(again(), browser=THIEF),
                resend(used(sets=[SECRET]), browser=THIEF),
            ],
        ),
        case(
            "two-tabs-share-a-secret-and-log-in-one-after-the-other",
            "the second login does not end the first",
            ONCE,
            [
                login("one@example.com", "/one", as_="one"),
                login("two@example.com", "/two", as_="two", expect=started(secret="kept")),
                callback(
                    again([["id_token", "{token:genuine:two}"]]),
                    [["id_token", "{token:genuine:two}"]],
                ),
                resend(signed_in("/two", "two@example.com")),
                callback(
                    signed_in("/one", "one@example.com"),
                    [["id_token", "{token:genuine:one}"]],
                    from_="site",
                ),
            ],
        ),
        case(
            "answer-that-is-used-twice-at-once-is-used-once",
            "a site without binding has no proof to go by",
            ONCE,
            [login(expect=started(sets=[])), callback(elsewhere(sets=[])), callback(used())],
            options=OFF,
        ),
        case(
            "login-that-has-expired-is-over",
            "after half an hour there is nothing to complete",
            "policy: a login takes half an hour at most",
            [
                login(),
                callback(again([["id_token", "{token}"]]), [["id_token", "{token}"]], advance=1801),
                resend(OVER),
            ],
        ),
        case(
            "login-in-the-time-that-the-site-gives-goes-on",
            "a login may take as long as the client says",
            "policy: session_ttl",
            [
                login(),
                callback(again([["id_token", "{token}"]]), [["id_token", "{token}"]], advance=1801),
                resend(signed_in()),
            ],
            options={"session_ttl": 3600},
        ),
        case(
            "browser-after-the-question-is-kept-for-the-next-login",
            "its secret stays",
            CSRF,
            [
                login(),
                *asked_on(),
                resend(elsewhere(), browser=PHONE),
                login(browser=PHONE, expect=started(secret="kept")),
                callback(signed_in(), browser=PHONE, from_="site"),
            ],
        ),
        case(
            "login-in-one-browser-is-known-as-that",
            "same_browser is told to the site",
            CSRF,
            [login(browser=DESK), callback(signed_in(), browser=DESK, from_="site")],
        ),
    ]
