"""The login of a token, and the address that it proves."""

from .mint import ABSENT, EMAIL, Case, accepted, case, claims, refused, sign
from .mint import NONCE as OURS
from .payloads import absent, spelt

NONCE = "OpenID Connect Core, section 3.2.2.11, item 2"
EMAIL_CLAIM = "Portier: email is in normalized form"
ADDRESS = "policy: an address is one that mail can be sent to, and can be read in one way only"
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


def nonces() -> list[Case]:
    """Nonces without a pending login."""
    unknown = {
        "other": "GBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIB",
        "shorter": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc",
        "longer": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYA",
        "upper-case": "AQIDBAUGBWGJCGSMDQ4PEBESEXQVFHCY",
        "wildcard": "*",
        "line-feed": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY\r\nX",
        "512-bytes": "n" * 512,
        "space": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY ",
        "padded": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY==",
        "nul": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY\0",
        "key-of-store": "portier:v1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
        "sql": "x' OR '1'='1",
        "glob": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc?",
        "prototype": "__proto__",
        "full-width": "\uff21QIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
        "two": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY,x",
    }
    literals = {**NOT_A_TEXT, "empty": '""', "513-bytes": f'"{"n" * 513}"'}
    literals |= {"array-of-ours": f'["{OURS}"]', "query": '{"$gt":""}', "false": "false"}
    literals |= {"514-bytes-unicode": '"' + "\u00e9" * 257 + '"'}
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
    """Addresses that are not normalized, and some that are."""
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
        "string-null": '"null"',
        "array-of-two": f'["{EMAIL}","mallory@example.com"]',
        "display-name": '"Alice <alice@example.com>"',
        "mailto": '"mailto:alice@Example.com"',
        "two-lines": r'"alice@example.com\nmallory@example.com"',
        "kelvin": r'"\u212aate@example.com"',
        "dotted-capital-i": r'"\u0130da@example.com"',
        "capital-sharp-s": r'"\u1e9ea@example.com"',
        "greek-capital": r'"\u03a3@example.com"',
        "full-width-at": r'"alice\uff20example.com"',
        "zero-width-domain": r'"alice@exam\u200bple.com"',
        "override": r'"alice@exam\u202eple.com"',
        "override-local": r'"alice\u202e@example.com"',
        "isolate-local": r'"\u2067alice\u2069@example.com"',
        "mark-local": r'"ali\u200fce@example.com"',
        "arabic-mark-local": r'"ali\u061cce@example.com"',
        "ligature-domain": r'"alice@\ufb01rst.example"',
        "sharp-s-domain": r'"alice@stra\u00dfe.example"',
        "bad-punycode": '"alice@xn--a.example"',
        "upper-case-punycode": '"alice@XN--gteborg-90a.test"',
        "ipv4-hexadecimal": '"alice@0x7f.1"',
        "ipv4-octal": '"alice@0177.0.0.1"',
        "ipv4-literal": '"alice@[127.0.0.1]"',
        "slash-domain": '"alice@example.com/x"',
        "port": '"alice@example.com:25"',
        "question-mark": '"alice@example.com?x"',
        "backslash-domain": r'"alice@example.com\\x"',
        "tab-domain": r'"alice@example\t.com"',
        "at-only": '"@"',
        "caret-domain": '"alice@exam^ple.com"',
        "bar-domain": '"alice@exam|ple.com"',
        "angle-domain": '"alice@example.com>"',
    }
    no_address = {
        "quoted-at": '"a@b"@example.com',
        "quoted-full-width-at": '"a\uff20b"@example.com',
        "quoted-space": '"a b"@example.com',
        "quoted-empty": '""@example.com',
        "quote-open": '"alice@example.com',
        "one-label": "alice@localhost",
        "two-ats": "alice@example.com,mallory@example.com",
        "two-dots": "a..lice@example.com",
        "first-dot": ".alice@example.com",
        "last-dot": "alice.@example.com",
        "markup": "<b>@example.com",
        "comma": "alice,@example.com",
        "low-line-domain": "alice@a_b.example",
        "hyphen-first": "alice@-a.example",
        "hyphen-last": "alice@a-.example",
        "domain-last-dot": "alice@example.com.",
        "domain-two-dots": "alice@example..com",
        "long-local": f"{'a' * 65}@example.com",
        "long-label": f"alice@{'b' * 64}.example",
        "too-long": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 54}.example",
        "inner-space": "al ice@example.com",
        "line-separator": "ali\u2028ce@example.com",
        "paragraph-separator": "\u2029alice@example.com",
        "no-break-space": "alice\xa0@example.com",
        "ideographic-space": "ali\u3000ce@example.com",
        "ogham-space": "ali\u1680ce@example.com",
        "next-line": "ali\x85ce@example.com",
        "zero-width-space": "ali\u200bce@example.com",
        "zero-width-joiner": "ali\u200dce@example.com",
        "soft-hyphen-local": "ali\xadce@example.com",
        "word-joiner": "ali\u2060ce@example.com",
        "byte-order-mark": "\ufeffalice@example.com",
        "hangul-filler": "alice\u3164@example.com",
        "variation-selector": "alice\ufe0f@example.com",
        "tag": "alice\U000e0061@example.com",
        "grapheme-joiner": "ali\u034fce@example.com",
        "annotation": "ali\ufff9ce@example.com",
        "blank-braille": "ali\u2800ce@example.com",
    }
    good = {
        "unicode-local": "bj\u00f6rn@xn--gteborg-90a.test",
        "quoted": '"a..b"@example.com',
        "quoted-escape": r'"a\"b"@example.com',
        "plus": "alice+portier@example.com",
        "dots": "a.l.i.ce@example.com",
        "small-sharp-s": "stra\u00dfe@example.com",
        "right-to-left-local": "\u05d0\u05dc\u05d9\u05e1@example.com",
        "final-sigma": "\u03c3\u03c2@example.com",
        "emoji": "\U0001f600@example.com",
        "apostrophe": "o'hara@example.com",
        "symbols": "!#$%&'*+-/=?^_`{|}~@example.com",
        "devanagari": "\u0905\u091c\u092f@example.com",
        "long": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 53}.example",
        "numbers": "1@2.example",
        "hyphens": "alice@a--b.example",
    }
    return [
        absent("email", "token_claim", EMAIL_CLAIM),
        *spelt("email", literals, "token_claim", EMAIL_CLAIM),
        *(
            case(
                f"email-{name}",
                "the broker vouches for what is no address, or one that can be misread",
                sign(payload=claims(email=email)),
                refused("token_claim", "email", "invalid"),
                ADDRESS,
            )
            for name, email in no_address.items()
        ),
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
        "longer": f"{EMAIL}.evil.example",
        "plus": "alice+x@example.com",
        "dot": "a.lice@example.com",
        "look-alike": "\u0430lice@example.com",
        "full-width": "\uff41lice@example.com",
        "upper-case-domain": "alice@EXAMPLE.COM",
    }
    no_address = {
        "trailing-space": f"{EMAIL} ",
        "leading-space": f" {EMAIL}",
        "empty": "",
        "trailing-dot": f"{EMAIL}.",
        "line-separator": "ali\u2028ce@example.com",
        "zero-width-space": "ali\u200bce@example.com",
        "soft-hyphen": "alice@exam\xadple.com",
        "quoted-at": '"a@b"@example.com',
        "nul": f"{EMAIL}\0",
        "two": f"{EMAIL},mallory@example.com",
        "no-address": "alice",
        "huge": "a" * 5000,
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
        *(
            case(
                f"email-original-{name}",
                "email_original is no address, or one that can be misread",
                sign(payload=claims(email_original=other)),
                refused("token_claim", "email_original", "invalid"),
                ADDRESS,
            )
            for name, other in no_address.items()
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
    """Values of email_verified."""
    literals = {"null": "null", "string": '"true"', "number": "1"}
    literals |= {"zero": "0", "array": "[true]", "object": "{}", "empty": '""', "yes": '"yes"'}
    literals |= {"address": f'"{EMAIL}"'}
    return [
        case(
            "email-verified-absent",
            "nothing says that the address was verified; all of a broker's are",
            sign(payload=claims(email_verified=ABSENT)),
            accepted(),
            VERIFIED,
        ),
        case(
            "email-verified-false",
            "the broker has not verified the address",
            sign(payload=claims(email_verified=False)),
            refused("token_claim", "email_verified"),
            VERIFIED,
        ),
        *spelt("email_verified", literals, "token_claim", VERIFIED),
    ]


def identity_providers() -> list[Case]:
    """A broker that talks to an identity provider it does not trust."""
    other = sign(payload=claims(email="bob@example.com"))
    mismatch = refused("token_claim", "email")
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
        case("idp-other", "another address", other, mismatch, IDP, idp=True),
        case(
            "idp-normalized",
            "the address asked for, but for what normalizing changes",
            sign(payload=claims(email_original="Alice@example.com")),
            mismatch,
            IDP,
            idp=True,
        ),
        case(
            "idp-off-other",
            "another address, from a broker that is trusted to know",
            other,
            accepted(email="bob@example.com"),
            IDP,
        ),
    ]
