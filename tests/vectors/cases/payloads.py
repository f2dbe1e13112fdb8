"""Payloads that are no JSON object, and who a token is from and for."""

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
    sign,
    text,
    with_literal,
)

JSON = "RFC 7519, section 7.2; RFC 8259"
UNIQUE = "RFC 7519, section 4: claim names are unique"
ISSUER = "OpenID Connect Core, section 3.1.3.7, item 2; Portier: iss is the broker's origin"
AUDIENCE = "Portier: aud is the origin of the site, a string"
PARTY = "OpenID Connect Core, section 3.1.3.7, item 5"


def cases() -> list[Case]:
    """All cases of this file."""
    return json_texts() + harmless() + issuers() + audiences() + parties()


def json_texts() -> list[Case]:
    """Payloads that cannot be read."""
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
        ("nul", "followed by a zero octet", f"{good}\0"),
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
    """Payloads that are unusual, and right."""
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
    ]
    return [
        case(f"payload-{name}", about, sign(payload=payload), accepted(), JSON)
        for name, about, payload in rows
    ]


def spelt(name: str, literals: dict[str, str], code: str, basis: str) -> list[Case]:
    """One case for every spelling of a claim's value, and one without the claim."""
    return [
        case(
            f"{name.replace('_', '-')}-{kind}",
            f"{name} is {literal}" if len(literal) < 100 else f"{name} is a long text",
            sign(payload=with_literal(claims(), name, literal)),
            code,
            basis,
        )
        for kind, literal in literals.items()
    ]


def absent(name: str, code: str, basis: str) -> Case:
    """A token without a claim."""
    token = sign(payload=claims(**{name: ABSENT}))
    return case(f"{name.replace('_', '-')}-absent", f"there is no {name}", token, code, basis)


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
    }
    return [absent("iss", "token_issuer", ISSUER), *spelt("iss", literals, "token_issuer", ISSUER)]


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
    }
    return [
        absent("aud", "token_audience", AUDIENCE),
        *spelt("aud", literals, "token_audience", AUDIENCE),
    ]


def parties() -> list[Case]:
    """Tokens for a site that another site may use."""
    same = sign(payload=claims(azp=CLIENT_ID))
    literals = {"null": "null", "array": f'["{CLIENT_ID}"]', "other": '"https://evil.example"'}
    return [
        case("azp-same", "azp is this site", same, accepted(), PARTY),
        *spelt("azp", literals, "token_audience", PARTY),
    ]
