"""Which login a token answers, and whose address it proves."""

from .mint import ABSENT, EMAIL, Case, accepted, case, claims, sign
from .payloads import absent, spelt

NONCE = "OpenID Connect Core, section 3.2.2.11, item 2"
EMAIL_CLAIM = "Portier: email is in normalized form"
ORIGINAL = "Portier: email_original is what the site asked for"
VERIFIED = "OpenID Connect Core, section 5.1, email_verified"
IDP = "Portier: an identity provider may not answer with another address"

NOT_A_TEXT = {
    "null": "null",
    "number": "1",
    "true": "true",
    "array": f'["{EMAIL}"]',
    "object": "{}",
}


def cases() -> list[Case]:
    """All cases of this file."""
    return nonces() + emails() + originals() + verified() + identity_providers()


def nonces() -> list[Case]:
    """Nonces that no login waits for."""
    unknown = {
        "other": "GBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIB",
        "shorter": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc",
        "longer": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYA",
        "upper-case": "AQIDBAUGBWGJCGSMDQ4PEBESEXQVFHCY",
        "wildcard": "*",
        "line-feed": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY\r\nX",
        "512-octets": "n" * 512,
    }
    literals = {**NOT_A_TEXT, "empty": '""', "513-octets": f'"{"n" * 513}"'}
    return [
        absent("nonce", "token_claim", NONCE),
        *spelt("nonce", literals, "token_claim", NONCE),
        *(
            case(
                f"nonce-unknown-{name}",
                "no login waits for this nonce",
                sign(payload=claims(nonce=nonce)),
                "session_unknown",
                NONCE,
            )
            for name, nonce in unknown.items()
        ),
    ]


def emails() -> list[Case]:
    """Addresses that are not in normalized form, and some that are."""
    literals = {
        **NOT_A_TEXT,
        "empty": '""',
        "upper-case-local": '"Alice@example.com"',
        "upper-case-domain": '"alice@Example.com"',
        "no-at": '"alice"',
        "no-local": '"@example.com"',
        "no-domain": '"alice@"',
        "unicode-domain": r'"alice@g\u00f6teborg.test"',
        "unicode-capital": r'"BJ\u00d6RN@example.com"',
        "full-width-domain": r'"alice@\uff45xample.com"',
        "soft-hyphen": r'"alice@exam\u00adple.com"',
        "ideographic-stop": r'"alice@example\u3002com"',
        "ipv4": '"alice@127.0.0.1"',
        "ipv4-number": '"alice@2130706433"',
        "ipv6": '"alice@[::1]"',
        "space": '"alice@example.com "',
        "line-feed": r'"alice@example.com\n"',
        "header-injection": r'"alice\r\nBcc: mallory@example.com"',
        "nul": r'"alice\u0000@example.com"',
        "percent": '"alice@exampl%65.com"',
    }
    good = {
        "unicode-local": "bj\u00f6rn@xn--gteborg-90a.test",
        "quoted-at": '"a@b"@example.com',
        "plus": "alice+portier@example.com",
    }
    return [
        absent("email", "token_claim", EMAIL_CLAIM),
        *spelt("email", literals, "token_claim", EMAIL_CLAIM),
        *(
            case(
                f"email-{name}",
                "the broker vouches for an address that is written in its normalized form",
                sign(payload=claims(email=email)),
                accepted(email=email),
                EMAIL_CLAIM,
            )
            for name, email in good.items()
        ),
    ]


def originals() -> list[Case]:
    """The address the login was started with."""
    others = {
        "other": "mallory@example.com",
        "upper-case": "Alice@example.com",
        "trailing-space": f"{EMAIL} ",
        "empty": "",
        "longer": f"{EMAIL}.evil.example",
    }
    return [
        case(
            "email-original-absent",
            "without email_original, email stands for it",
            sign(payload=claims(email_original=ABSENT)),
            accepted(),
            ORIGINAL,
        ),
        case(
            "email-original-absent-other",
            "without email_original, email stands for it, and is another",
            sign(payload=claims(email="mallory@example.com", email_original=ABSENT)),
            "session_email",
            ORIGINAL,
        ),
        *spelt("email_original", NOT_A_TEXT, "token_claim", ORIGINAL),
        *(
            case(
                f"email-original-{name}",
                "email_original is not the address the login was started with",
                sign(payload=claims(email_original=other)),
                "session_email",
                ORIGINAL,
            )
            for name, other in others.items()
        ),
        case(
            "email-sub-ignored",
            "sub is not looked at",
            sign(payload=claims(sub="mallory@example.com")),
            accepted(),
            "Portier: email is the identity",
        ),
    ]


def verified() -> list[Case]:
    """What email_verified may say."""
    literals = {"false": "false", "null": "null", "string": '"true"', "number": "1"}
    return [
        case(
            "email-verified-absent",
            "nothing says that the address was verified; all of a broker's are",
            sign(payload=claims(email_verified=ABSENT)),
            accepted(),
            VERIFIED,
        ),
        *spelt("email_verified", literals, "token_claim", VERIFIED),
    ]


def identity_providers() -> list[Case]:
    """A broker that talks to an identity provider it does not trust."""
    other = sign(payload=claims(email="bob@example.com"))
    return [
        case("idp-same", "the address asked for", sign(), accepted(), IDP, idp=True),
        case(
            "idp-without-original",
            "the address asked for, said once",
            sign(payload=claims(email_original=ABSENT)),
            accepted(),
            IDP,
            idp=True,
        ),
        case("idp-other", "another address", other, "token_claim", IDP, idp=True),
        case(
            "idp-off-other",
            "another address, from a broker that is trusted to know",
            other,
            accepted(email="bob@example.com"),
            IDP,
        ),
    ]
