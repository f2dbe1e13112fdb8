"""Foreign cookies, and cookies of another browser or login."""

from .mint import Case
from .web_rules import (
    CSRF,
    HOST,
    MALLORY,
    PROOF,
    TWO,
    VICTIM,
)
from .web_steps import (
    POSTED_AGAIN,
    PROBE,
    SECRET,
    SIGNED_IN,
    THIEF,
    again,
    asks,
    callback,
    case,
    login,
    resend,
    signed_in,
    used,
    whole_login,
)


def cookies() -> list[Case]:
    """Foreign cookies, and cookies of another browser or login."""
    shapes = {
        "empty": "",
        "short": "x",
        "one-less": "{repeat:A:42}",
        "one-more": "{repeat:A:44}",
        "padded": "{repeat:A:42}=",
        "quoted": '"{repeat:A:43}"',
        "another-alphabet": "{repeat:A:42}+",
        "a-space-within": "{repeat:A:21} {repeat:A:21}",
    }
    made = [
        case(
            f"secret-of-another-shape-is-none-{name}",
            "the answer is posted again, and the cookie replaced",
            CSRF,
            [
                login(),
                callback(again(), browser=VICTIM, from_="site", cookies={SECRET: value}),
                resend(asks(sets=[SECRET], secret="new"), browser=VICTIM),
            ],
        )
        for name, value in shapes.items()
    ]
    made.append(
        case(
            "secret-that-somebody-made-up-signs-nobody-in",
            "a secret of the right shape is that of another browser",
            CSRF,
            [
                login(),
                callback(
                    asks(),
                    browser=VICTIM,
                    from_="site",
                    cookies={SECRET: "{repeat:A:43}"},
                    form=POSTED_AGAIN,
                ),
            ],
        )
    )
    own, tossed = f"{SECRET}={{cookie:{SECRET}}}", f"{SECRET}={{repeat:B:43}}"
    ours = {
        "behind-a-space-that-is-none": f"{own}; \u00a0{tossed}",
        "behind-a-next-line": f"{own}; \u0085{tossed}",
        "in-front": f"\u00a0{tossed};\t{own} ",
        "of-a-longer-name": f"x{SECRET}=x; {own}; {SECRET}x=x",
        "in-small-letters": f"{own}; {tossed.lower()}",
        "without-a-value": f"{own}; {SECRET}; =; ;",
        "beside-one-without-host": f"{own}; portier={{repeat:B:43}}",
    }
    made += [
        case(
            f"cookie-with-a-name-like-ours-is-another-{name}",
            "any host of the domain can set it, and frameworks trim more than browsers do",
            HOST,
            [login(), callback(signed_in(), from_="site", headers={"cookie": value})],
        )
        for name, value in ours.items()
    ]
    alone = {
        "space-that-is-none": f"\u00a0{tossed}",
        "next-line": f"\u0085\u00a0{tossed}",
        "no-host": "portier={repeat:B:43}",
    }
    made += [
        case(
            f"cookie-with-a-name-like-ours-counts-as-none-{name}",
            "the answer is posted again",
            HOST,
            [login(), callback(again(), from_="site", headers={"cookie": value})],
        )
        for name, value in alone.items()
    ]
    both = {
        "in-one-header": f"{own}; {tossed}",
        "the-same-twice": f"{own}; {own}",
        "one-empty": f"{own}; {SECRET}=",
        "in-two-headers": [own, tossed],
    }
    made += [
        case(
            f"secret-that-comes-twice-is-none-{name}",
            "the answer is posted again: which of the two is ours?",
            TWO,
            [login(), callback(again(), from_="site", headers={"cookie": value})],
        )
        for name, value in both.items()
    ]
    return made


def proofs() -> list[Case]:
    """Forged proofs of a sign-in, and proofs of another login or browser."""
    forged = {
        "made-up": "{repeat:A:43}",
        "empty": "",
        "cut-off": "x",
        "of-another-site": "{cookie:__Host-portier}",
        "of-another-browser": "{cookie:thief:__Host-portier-signed-in}",
    }
    made = [
        case(
            f"proof-that-is-{name}-is-none",
            "the page says that the login was used; no silent redirect",
            PROOF,
            [
                *whole_login(MALLORY, browser=THIEF),
                login(),
                callback(again()),
                resend(signed_in(), keeps=False),
                callback(used(), from_="site", cookies={SIGNED_IN: value}),
            ],
        )
        for name, value in forged.items()
    ]
    return [
        *made,
        case(
            "proof-is-of-one-login",
            "the proof of a later login is none for the one before",
            PROOF,
            [
                login(page="/one", as_="one"),
                callback(signed_in("/one"), from_="site"),
                login(page="/two"),
                callback(signed_in("/two"), from_="site"),
                callback(used(), [["id_token", "{token:genuine:one}"]], from_="site"),
            ],
        ),
        case(
            "proof-is-of-one-browser",
            "whoever copies the proof without the secret is told that the login was used",
            PROOF,
            [
                *whole_login(as_="first"),
                login(browser=THIEF, as_="other"),
                callback(
                    used(),
                    [["id_token", "{token:genuine:first}"]],
                    browser=THIEF,
                    from_="site",
                    cookies={SIGNED_IN: "{cookie:desk:__Host-portier-signed-in}"},
                ),
            ],
        ),
        case(
            "proof-completes-nothing",
            "it leads on after a login, and is no login by itself",
            PROOF,
            [
                *whole_login(),
                login(),
                callback(
                    asks(fields=[*POSTED_AGAIN, ["portier_confirmation", None]]),
                    from_="site",
                    form=POSTED_AGAIN,
                    cookies={SECRET: "{repeat:A:43}"},
                ),
            ],
        ),
        case(
            "proof-twice-is-none",
            "of two cookies of a name none is ours",
            TWO,
            [
                *whole_login(),
                callback(
                    used(),
                    from_="site",
                    headers={
                        "cookie": f"{SECRET}={{cookie:{SECRET}}}; "
                        f"{SIGNED_IN}={{cookie:{SIGNED_IN}}}; {SIGNED_IN}=x"
                    },
                ),
            ],
        ),
        case(
            "probe-signs-nobody-in",
            "the cookie of the page that posts again has no power",
            CSRF,
            [
                login(),
                callback(again()),
                callback(
                    asks(sets=[SECRET]),
                    POSTED_AGAIN,
                    browser=VICTIM,
                    from_="site",
                    cookies={PROBE: "{cookie:desk:__Host-portier-probe}"},
                ),
            ],
        ),
        case(
            "login-begins-no-session-of-an-attacker",
            "a secret that was set without __Host- is not taken for that of an https site",
            HOST,
            [
                login(MALLORY, browser=THIEF),
                callback(
                    again(),
                    browser=VICTIM,
                    from_="site",
                    cookies={"portier": "{cookie:thief:__Host-portier}"},
                ),
                resend(asks(MALLORY, sets=[SECRET]), browser=VICTIM),
            ],
        ),
    ]
