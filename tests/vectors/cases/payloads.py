"""Payloads that are no JSON object; issuers and audiences."""

import gzip
import zlib

from .keys import base64url
from .mint import (
    ABSENT,
    BROKER,
    CLIENT_ID,
    NONCE,
    REDIRECT_URI,
    Case,
    accepted,
    case,
    claims,
    refused,
    sign,
    text,
    with_literal,
)

JSON = "RFC 7519, section 7.2; RFC 8259"
UNIQUE = "RFC 7519, section 4: claim names are unique"
ISSUER = "OpenID Connect Core, section 3.1.3.7, item 2; Portier: iss is the broker's origin"
AUDIENCE = "Portier: aud is the origin of the site, a string"
PARTY = "OpenID Connect Core, section 3.1.3.7, item 5"


def json_texts() -> list[Case]:
    """Unreadable payloads."""
    good = text(claims())
    values = text({"all": list(claims().values())})[7:-1]
    deep = with_literal(claims(), "x", "[" * 40 + "]" * 40)
    many = claims(**{f"c{index}": index for index in range(256)})
    texts: list[tuple[str, str, str | bytes]] = [
        ("array", "an array of the values", values),
        ("array-of-object", "an object in an array", f"[{good}]"),
        ("string", "the object as a string", text({"s": good})[5:-1]),
        ("null", "null", "null"),
        ("number", "a number", "1"),
        ("not-json", "no JSON", "email=alice@example.com"),
        ("unclosed", "an object without its end", good[:-1]),
        ("trailing", "followed by something", f"{good}0"),
        ("two", "two objects", f"{good}\n{good}"),
        ("trailing-comma", "an object with a comma before its end", f"{good[:-1]},}}"),
        ("bom", "led by a byte order mark", b"\xef\xbb\xbf" + good.encode()),
        ("utf-16", "UTF-16", good.encode("utf-16-le")),
        ("not-utf-8", "no UTF-8", with_literal(claims(), "x", '"\xe9"').encode("latin-1")),
        ("nul", "followed by a zero byte", f"{good}\0"),
        ("surrogate", "one with a lone surrogate", with_literal(claims(), "x", r'"\ud83d"')),
        (
            "surrogate-email",
            "one with a lone surrogate as local part",
            with_literal(claims(), "email", r'"\udc00@example.com"'),
        ),
        ("nan", "one with NaN", with_literal(claims(), "exp", "NaN")),
        ("infinity", "one with Infinity", with_literal(claims(), "exp", "Infinity")),
        (
            "hexadecimal",
            "one with a hexadecimal number",
            with_literal(claims(), "exp", "0x6553F3D2"),
        ),
        (
            "leading-zero",
            "one with a zero before a number",
            with_literal(claims(), "exp", "01700000630"),
        ),
        (
            "plus-sign",
            "one with a sign before a number",
            with_literal(claims(), "exp", "+1700000630"),
        ),
        (
            "bare-point",
            "one with a number that ends in a point",
            with_literal(claims(), "exp", "1700000630."),
        ),
        ("deep", "nested 40 levels deep", deep),
        ("many-members", "one of 265 members", text(many)),
        ("17-levels", "nested a level deeper than it may be", levels(17)),
        ("1025-digits", "one with too long a number", with_literal(claims(), "x", "9" * 1025)),
        ("257-members", "one of 257 members", text(claims(**numbered(248)))),
        ("white-space-only", "white space", "  "),
        ("utf-32", "UTF-32", good.encode("utf-32-be")),
        ("overlong", "one with an overlong encoding", b'{"x":"\xc1\xa1",' + good[1:].encode()),
        ("cesu", "one with surrogates in UTF-8", b'{"x":"\xed\xa0\xbd",' + good[1:].encode()),
        ("control", "one with a control character in a text", f'{{"x":"\x1f",{good[1:]}'),
        ("bad-escape", "one with an escape that is none", rf'{{"x":"\a",{good[1:]}'),
        ("comment", "one with a comment", f"{{/*x*/{good[1:]}"),
        ("line-comment", "one with a comment up to the end of the line", f"{good}// x"),
        ("hash-comment", "led by a comment", f"# x\n{good}"),
        ("single-quotes", "one with single quotes", good.replace('"', "'")),
        ("undefined", "one with undefined", with_literal(claims(), "x", "undefined")),
        ("true-upper-case", "one with True", with_literal(claims(), "x", "True")),
        ("negative-plus", "one with two signs", with_literal(claims(), "exp", "--1")),
        ("underscores", "one with an underscore in a number", spelt_exp("1_700_000_630")),
        (
            "big-integer",
            "one with a number as JavaScript writes large ones",
            spelt_exp("1700000630n"),
        ),
        ("exponent-empty", "one with an exponent without digits", spelt_exp("1700000630e")),
        ("bare-fraction", "one with a number that begins with a point", spelt_exp(".5")),
        ("padded-json", "JSON in base64url", base64url(good.encode())),
        ("token", "another token", sign()),
        ("form", "a form", f"iss={BROKER}&aud={CLIENT_ID}&email=alice@example.com"),
        ("xml", "XML", f"<iss>{BROKER}</iss>"),
        ("cbor", "CBOR", b"\xa1\x63iss\x76" + BROKER.encode()),
        ("gzip", "compressed", gzip.compress(good.encode(), mtime=0)),
        ("deflate", "compressed, as zip would say", zlib.compress(good.encode())[2:-4]),
    ]
    rows = [
        case(
            f"payload-{name}",
            f"the payload is {about}",
            sign(payload=payload),
            "token_malformed",
            JSON,
        )
        for name, about, payload in texts
    ]
    twice = [
        ("exp", f'{good[:-1]},"exp":{1_700_000_630}}}'),
        ("email", f'{{"email":"mallory@example.com",{good[1:]}'),
        ("escaped", rf'{good[:-1]},"em\u0061il":"mallory@example.com"}}'),
        ("nonce", f'{{"nonce":"x",{good[1:]}'),
        ("unknown", f'{good[:-1]},"x":1,"x":1}}'),
        ("iss", f'{{"iss":"https://evil.example",{good[1:]}'),
        ("iss-after", f'{good[:-1]},"iss":"https://evil.example"}}'),
        ("aud", f'{{"aud":"https://evil.example",{good[1:]}'),
        ("aud-null", f'{good[:-1]},"aud":null}}'),
        ("iat", f'{good[:-1]},"iat":0}}'),
        ("email-original", f'{good[:-1]},"email_original":"mallory@example.com"}}'),
        ("email-verified", f'{{"email_verified":false,{good[1:]}'),
        ("email-same", f'{good[:-1]},"email":"alice@example.com"}}'),
        ("all", f"{good[:-1]},{good[1:]}"),
        ("exp-escaped", rf'{{"\u0065xp":9999999999,{good[1:]}'),
        ("empty-name", f'{good[:-1]},"":1,"":2}}'),
    ]
    rows += [
        case(
            f"payload-twice-{name}",
            "a claim is there twice",
            sign(payload=payload),
            "token_malformed",
            UNIQUE,
        )
        for name, payload in twice
    ]
    return rows


def harmless() -> list[Case]:
    """Unusual but valid payloads."""
    backwards = text(dict(reversed(claims().items())))
    rows = [
        ("other-order", "the claims in another order", backwards),
        (
            "white-space",
            "white space between all parts",
            "\n{ " + text(claims())[1:].replace(",", " ,\r\n\t") + " ",
        ),
        (
            "unknown-claims",
            "claims nobody has to know",
            text(claims(at_hash="x", x={"a": [None, True]})),
        ),
        (
            "nested-twice",
            "a member twice, further in",
            with_literal(claims(), "x", '{"a":1,"a":2}'),
        ),
        (
            "escapes",
            "texts with escapes",
            with_literal(claims(), "iss", r'"https:\/\/broker.ex\u0061mple"'),
        ),
        ("surrogate-pair", "a pair of surrogates", with_literal(claims(), "x", r'"\ud83d\ude00"')),
        (
            "huge-number",
            "a number no double can hold, in an unknown claim",
            with_literal(claims(), "x", "1e999"),
        ),
        (
            "prototype",
            "claims named like parts of a JavaScript object",
            text(claims(constructor=1, __proto__={"email": "mallory@example.com"})),
        ),
        ("16-levels", "nested as deep as it may be", levels(16)),
        ("256-members", "as many claims as there may be", text(claims(**numbered(247)))),
        ("1024-digits", "as long a number as one may be", with_literal(claims(), "x", "9" * 1024)),
        ("other-case", "claims that differ in case", text(claims(Iss="x", EMAIL="x", Exp=0))),
        ("full-width-name", "a claim that looks like another", text(claims(**{"\uff45mail": "x"}))),
        (
            "nul-in-name",
            "a claim that begins like another",
            with_literal(claims(), "x", '1,"exp\\u0000":0'),
        ),
        (
            "separators",
            "the separators of lines that JavaScript had",
            text(claims(x="\u2028\u2029")),
        ),
        ("noncharacter", "a code point that is no character", text(claims(x="\uffff"))),
        ("not-escaped", "text beyond ASCII as it is", '{"x":"\U0001f600",' + text(claims())[1:]),
        (
            "negative-zero",
            "a negative zero, in an unknown claim",
            with_literal(claims(), "x", "-0"),
        ),
        ("nested-token", "another token in a claim", text(claims(id_token=sign()))),
        ("cnf", "a key in a claim", text(claims(cnf={"jwk": {"kty": "oct", "k": "AQ"}}))),
        ("jti", "a token id", text(claims(jti="1", sid="2", acr="0", amr=["otp"]))),
    ]
    return [
        case(f"payload-{name}", about, sign(payload=payload), accepted(), JSON)
        for name, about, payload in rows
    ]


def levels(number: int) -> str:
    """A payload with this depth."""
    return with_literal(claims(), "x", "[" * (number - 1) + "]" * (number - 1))


def numbered(number: int) -> dict[str, object]:
    """This number of meaningless claims."""
    return {f"c{index}": index for index in range(number)}


def spelt_exp(literal: str) -> str:
    """A payload whose end has a given spelling."""
    return with_literal(claims(), "exp", literal)


def spelt(
    name: str, literals: dict[str, str], code: str, basis: str, *, text: str = "invalid"
) -> list[Case]:
    """One case for every spelling of a claim's value. `text` is the reason where it is a text."""
    return [
        case(
            f"{name.replace('_', '-')}-{kind}",
            f"{name} is {literal}" if len(literal) < 100 else f"{name} is a long text",
            sign(payload=with_literal(claims(), name, literal)),
            refused(code, name, text if literal.startswith('"') else "invalid"),
            basis,
        )
        for kind, literal in literals.items()
    ]


def absent(name: str, code: str, basis: str) -> Case:
    """A token without a claim."""
    token = sign(payload=claims(**{name: ABSENT}))
    expect = refused(code, name, "missing")
    return case(f"{name.replace('_', '-')}-absent", f"there is no {name}", token, expect, basis)


def issuers() -> list[Case]:
    """Tokens of other brokers."""
    literals = {
        "null": "null",
        "number": "1",
        "array": f'["{BROKER}"]',
        "object": f'{{"iss":"{BROKER}"}}',
        "empty": '""',
        "other": '"https://evil.example"',
        "slash": f'"{BROKER}/"',
        "http": '"http://broker.example"',
        "port": f'"{BROKER}:443"',
        "upper-case": '"https://Broker.example"',
        "longer": f'"{BROKER}.evil.example"',
        "subdomain": '"https://evil.broker.example"',
        "user": '"https://broker.example@evil.example"',
        "space": f'" {BROKER}"',
        "nul": rf'"{BROKER}\u0000"',
        "no-scheme": '"broker.example"',
        "true": "true",
        "string-null": '"null"',
        "array-of-two": f'["{BROKER}","https://evil.example"]',
        "array-empty": "[]",
        "look-alike": r'"https://br\u043eker.example"',
        "full-width": r'"https://broker\uff0eexample"',
        "dot": '"https://broker.example."',
        "path": f'"{BROKER}/x"',
        "query": f'"{BROKER}?x"',
        "fragment": f'"{BROKER}#"',
        "backslash": r'"https:\\\\broker.example"',
        "escaped": '"https://broker%2Eexample"',
        "upper-case-scheme": '"HTTPS://broker.example"',
        "line-feed": rf'"{BROKER}\n"',
        "google": '"accounts.google.com"',
    }
    part = "CVE-2024-53861: iss is compared as a whole"
    parts = {"part": '"broker.example"', "letter": '"h"', "prefix": '"https://broker"'}
    return [
        absent("iss", "token_issuer", ISSUER),
        *spelt("iss", literals, "token_issuer", ISSUER, text="check_failed"),
        *spelt("iss", parts, "token_issuer", part, text="check_failed"),
        case(
            "payload-empty-object",
            "there are no claims",
            sign(payload="{}"),
            refused("token_issuer", "iss", "missing"),
            ISSUER,
        ),
    ]


def audiences() -> list[Case]:
    """Tokens for other sites."""
    literals = {
        "null": "null",
        "number": "1",
        "array": f'["{CLIENT_ID}"]',
        "array-of-two": f'["{CLIENT_ID}","https://evil.example"]',
        "object": f'{{"aud":"{CLIENT_ID}"}}',
        "empty": '""',
        "other": '"https://evil.example"',
        "slash": f'"{CLIENT_ID}/"',
        "redirect-uri": f'"{REDIRECT_URI}"',
        "port": f'"{CLIENT_ID}:443"',
        "upper-case": '"https://RP.example"',
        "longer": f'"{CLIENT_ID}.evil.example"',
        "prefix": '"https://rp.exampl"',
        "nonce": f'"{NONCE}"',
        "true": "true",
        "array-empty": "[]",
        "array-nested": f'[["{CLIENT_ID}"]]',
        "array-twice": f'["{CLIENT_ID}","{CLIENT_ID}"]',
        "list": f'"{CLIENT_ID} https://evil.example"',
        "list-comma": f'"{CLIENT_ID},https://evil.example"',
        "wildcard": '"*"',
        "pattern": '"https://*.example"',
        "http": '"http://rp.example"',
        "subdomain": '"https://www.rp.example"',
        "parent": '"https://example"',
        "issuer": f'"{BROKER}"',
        "dot": '"https://rp.example."',
        "look-alike": r'"https://r\u0440.example"',
        "nul": rf'"{CLIENT_ID}\u0000"',
        "space": f'"{CLIENT_ID} "',
        "user": '"https://rp.example@evil.example"',
        "no-scheme": '"rp.example"',
    }
    return [
        absent("aud", "token_audience", AUDIENCE),
        *spelt("aud", literals, "token_audience", AUDIENCE, text="check_failed"),
    ]


def parties() -> list[Case]:
    """Tokens for a site that another site may use."""
    same = sign(payload=claims(azp=CLIENT_ID))
    literals = {"null": "null", "array": f'["{CLIENT_ID}"]', "other": '"https://evil.example"'}
    literals |= {"empty": '""', "number": "1", "slash": f'"{CLIENT_ID}/"', "object": "{}"}
    return [
        case("azp-same", "azp is this site", same, accepted(), PARTY),
        *spelt("azp", literals, "token_audience", PARTY, text="check_failed"),
    ]
