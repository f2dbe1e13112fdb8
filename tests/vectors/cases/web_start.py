"""The first half of a login: the form of the site, and the redirect to the broker."""

from .mint import Case
from .web_rules import (
    FORM_RULE,
    INVALID,
    OPEN,
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
    resend,
    signed_in,
    started,
    step,
    whole_login,
)


def forms() -> list[Case]:
    """The fields of a login form."""
    rows: list[tuple[str, str, list[Step]]] = [
        (
            "start-redirects-to-the-broker",
            "the address goes to the broker, the secret of the browser into a cookie",
            [
                login(
                    "alice@example.com",
                    expect=started(
                        to_broker={
                            "login_hint": "alice@example.com",
                            "client_id": SITE,
                            "redirect_uri": f"{SITE}/verify",
                            "response_mode": "form_post",
                        },
                        lacks=["<"],
                    ),
                )
            ],
        ),
        (
            "start-keeps-the-secret-of-the-browser",
            "a browser that has a secret keeps it, and keeps it for another day",
            [login(), login(expect=started(secret="kept"))],
        ),
        (
            "start-replaces-a-secret-of-another-shape",
            "a cookie that is none of ours is replaced",
            [login(cookies={SECRET: "A" * 42}, expect=started(secret="new"))],
        ),
        (
            "start-keeps-the-page-from-the-broker",
            "the page to go back to stays on this side",
            [login(page="/members?page=2", expect=started(lacks_location=["members"]))],
        ),
        (
            "start-without-an-address",
            "an address that is missing cannot be one",
            [step("login", INVALID, form=[["next", "/"]])],
        ),
        (
            "start-with-an-empty-form",
            "there is no address in it",
            [step("login", INVALID, form=[])],
        ),
        (
            "start-with-fields-between-semicolons",
            "a semicolon separates nothing",
            [step("login", INVALID, body="next=/;email=alice%40example.com")],
        ),
        (
            "start-with-a-byte-order-mark",
            "it is a part of the first name",
            [step("login", INVALID, body="\u00ef\u00bb\u00bfemail=alice%40example.com")],
        ),
        (
            "start-with-an-address-twice",
            "an address that comes twice is missing",
            [step("login", INVALID, form=[["email", ALICE], ["email", ALICE]])],
        ),
        (
            "start-with-an-address-twice-and-once-empty",
            "also if one of the two is empty",
            [step("login", INVALID, form=[["email", ALICE], ["email", ""]])],
        ),
        (
            "start-with-a-page-twice",
            "a page that comes twice is none",
            [
                login(form=[["email", ALICE], ["next", "/a"], ["next", "/b"]]),
                callback(again()),
                resend(signed_in("/")),
            ],
        ),
        (
            "start-with-an-address-that-is-not-utf-8",
            "an address in another encoding is missing",
            [step("login", INVALID, body="email=b%F6rn%40example.com")],
        ),
        (
            "start-with-raw-bytes-that-are-not-utf-8",
            "the same without percent-encoding",
            [step("login", INVALID, body="email=b\u00f6rn@example.com")],
        ),
        (
            "start-with-a-page-that-is-not-utf-8",
            "a page in another encoding is none",
            [
                step("login", started(), body="email=alice%40example.com&next=%2Fb%FCcher"),
                callback(again()),
                resend(signed_in("/")),
            ],
        ),
        (
            "start-with-other-fields",
            "fields of other names are ignored, also those of ours that belong to the callback",
            [
                login(
                    form=[
                        ["csrf", "x"],
                        ["email", ALICE],
                        ["email[]", "mallory@example.com"],
                        ["Email", "mallory@example.com"],
                        ["portier_again", "1"],
                        ["portier_confirmation", "x"],
                    ],
                    expect=started(to_broker={"login_hint": ALICE}),
                )
            ],
        ),
        (
            "start-with-plus-and-percent-signs",
            "a form is decoded as WHATWG URL says: plus signs are spaces, broken escapes are text",
            [
                step(
                    "login",
                    started(to_broker={"login_hint": "a+b@example.com"}),
                    body="next=%2F%zz&email=++a%2bb%40example.com+",
                )
            ],
        ),
    ]
    return [case(name, about, FORM_RULE, steps) for name, about, steps in rows]


def addresses() -> list[Case]:
    """Invalid addresses, and text that the page does not repeat."""
    impossible = {
        "nothing": "",
        "no-sign": "alice.example.com",
        "two-signs": "a@b@c.example",
        "space": "a b@example.com",
        "header": "alice@example.com\r\nBcc: mallory@example.com",
        "nul": "alice\0@example.com",
        "markup": "<script>alert(1)</script>",
        "attribute": "\"><img src=x onerror=alert(1)>'&",
        "right-to-left": "\u202eevil@example.com",
    }
    made = [
        case(
            f"start-with-an-impossible-address-{name}",
            "the address is asked for again, and is not on the page",
            "policy: invalid addresses are refused before the redirect",
            [login(email, expect={**INVALID, **({"lacks": [email]} if email else {})})],
        )
        for name, email in impossible.items()
    ]
    made.append(
        case(
            "start-normalizes-an-address",
            "an account is an address in normalized form",
            "Portier e-mail normalization",
            [
                login(" BJÖRN@GÖTEBORG.test "),
                callback(again()),
                resend(signed_in("/", "björn@xn--gteborg-90a.test")),
            ],
        )
    )
    return made


def pages() -> list[Case]:
    """The page to which a login redirects."""
    off = {
        "another-site": "https://evil.example/",
        "two-slashes": "//evil.example",
        "backslash": "/\\evil.example",
        "tab": "/\t/evil.example",
        "line-feed": "/\n/evil.example",
        "header": "/\r\nSet-Cookie: a=b",
        "encoded": "/%2F/evil.example",
        "dots": "/.//evil.example",
        "script": "javascript:alert(1)",
        "relative": "members",
        "user": "https://example.com@evil.example/",
        "long": "/{repeat:a:5000}",
        "empty": "",
        "below-the-site": "https://example.com.evil.example/",
        "user-of-the-site": "https://user@example.com/members",
        "port": "https://example.com:8443/members",
        "scheme": "http://example.com/members",
        "site-and-a-host": "https://example.com//evil.example",
        "site-and-dots": "https://example.com/.//evil.example",
        "site-and-an-encoded-slash": "https://example.com/%2F/evil.example",
        "site-and-a-backslash": "https://example.com\\@evil.example/",
        "site-and-a-tab": "https://exam\tple.com/members",
        "site-without-slashes": "https:example.com/members",
        "site-after-a-space": " https://example.com/members",
        "long-path-of-the-site": "https://example.com/{repeat:a:1024}",
    }
    made = [
        case(
            f"next-that-leads-off-the-site-{name}",
            "the page is dropped, the login goes on",
            OPEN,
            whole_login(page=page, expect=signed_in("/home")),
            options={"default_next": "/home"},
        )
        for name, page in off.items()
    ]
    shop = {"allowed_hosts": ["shop.example.com"]}
    rows: list[tuple[str, str, str | None, str, dict[str, object]]] = [
        ("page-of-the-site", "a login leads back", "/members?page=2#top", "", {}),
        ("page-with-letters", "a page is percent-encoded", "/für", "/f%C3%BCr", {}),
        (
            "page-of-the-site-as-a-url",
            "it is reduced to its path, query and fragment",
            "https://example.com/members?page=2#top",
            "/members?page=2#top",
            {},
        ),
        ("site-as-a-url", "a host alone is the first page", "https://example.com", "/", {}),
        (
            "page-of-the-site-in-another-spelling",
            "origins are compared as the URL parser sees them",
            "HTTPS://Example.COM:443/f\u00fcr",
            "/f%C3%BCr",
            {},
        ),
        ("nowhere", "a login without a page leads to the default", None, "/", {}),
        ("default", "the default of the site", None, "/welcome", {"default_next": "/welcome"}),
        (
            "default-with-letters",
            "the default is percent-encoded when the options are read",
            None,
            "/%E3%82%88%E3%81%86%E3%81%93%E3%81%9D",
            {"default_next": "/ようこそ"},
        ),
        (
            "default-on-an-allowed-host",
            "the default may be on an allowed host",
            None,
            "https://shop.example.com/",
            {**shop, "default_next": "https://shop.example.com/"},
        ),
        ("allowed-host", "an allowed host", "https://shop.example.com/a", "", shop),
        ("allowed-host-over-http", "never over http", "http://shop.example.com/", "/", shop),
        ("host-below-an-allowed-one", "not below it", "https://x.shop.example.com/", "/", shop),
    ]
    made += [
        case(
            f"next-{name}",
            about,
            OPEN,
            whole_login(page=page, expect=signed_in(to or str(page))),
            options=options,
        )
        for name, about, page, to, options in rows
    ]
    made.append(
        case(
            "next-that-was-stored-is-checked-again",
            "what the site has stored itself is held to the same rule",
            OPEN,
            [
                step("authenticate", {}, session="//evil.example"),
                callback({"status": 303, "location": "/", "login": {"email": ALICE}}),
            ],
            options={"browser_binding": "off"},
        )
    )
    return made
