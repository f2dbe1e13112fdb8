"""What the header of a token may say."""

from .keys import ED_A, RSA_A, base64url
from .mint import ABSENT, Case, Part, accepted, case, header, sign, text, with_literal

ALGORITHM = "RFC 8725, sections 2.1, 3.1 and 3.2"
HEADER = "RFC 7515, section 4"
UNIQUE = "RFC 7515, section 4: member names are unique"
EXTENSION = "RFC 7515, section 4.1.11"
LONG_KID = "k" * 512


def cases() -> list[Case]:
    """All cases of this file."""
    return good() + algorithms() + key_ids() + types() + extensions() + json_texts()


def good() -> list[Case]:
    """Headers that are unusual, and right."""
    rows: list[tuple[str, str, Part]] = [
        ("plain", "a token as the broker makes it", header()),
        ("kid-512-octets", "a key id as long as one may be", header(kid=LONG_KID)),
        ("kid-unicode", "a key id outside of ASCII", header(kid="cl\u00e9")),
        ("typ-absent", "no type", header(typ=ABSENT)),
        ("typ-lower", "the type in lower case", header(typ="jwt")),
        ("typ-mixed", "the type in mixed case", header(typ="Jwt")),
        ("unknown-members", "members nobody has to know", header(x="y", n=[1, {"a": None}])),
        ("escapes", "every text has escapes", r'{"\u0061lg":"\u0052S256","kid":"rs\u0061-a"}'),
        (
            "white-space",
            "white space between all parts",
            ' {\n"alg" : "RS256" ,\t"kid":"rsa-a"\r}\n',
        ),
        (
            "other-order",
            "the members in another order",
            '{"typ":"JWT","kid":"rsa-a","alg":"RS256"}',
        ),
    ]
    return [
        case(f"header-{name}", about, sign(head), accepted(), HEADER) for name, about, head in rows
    ]


def algorithms() -> list[Case]:
    """Algorithms that are not accepted."""
    others = {
        **{"none": "none", "none-title": "None", "none-upper": "NONE", "none-mixed": "nOnE"},
        **{"hs256": "HS256", "hs384": "HS384", "hs512": "HS512", "rs384": "RS384"},
        **{"rs512": "RS512", "ps256": "PS256", "es256": "ES256", "es256k": "ES256K"},
        **{"ed25519": "Ed25519", "ed448": "Ed448", "rs256-lower": "rs256", "eddsa-upper": "EDDSA"},
        **{"rs256-space": "RS256 ", "rs256-nul": "RS256\0", "rs256-folded": "RS2\u217256"},
        **{"rsa": "RSA", "dir": "dir", "empty": ""},
    }
    rows = [
        case(
            f"alg-{name}",
            f"the algorithm is {other!a}",
            sign(header(alg=other)),
            "token_algorithm",
            ALGORITHM,
        )
        for name, other in others.items()
    ]
    for name, literal in [
        ("null", "null"),
        ("array", '["RS256"]'),
        ("object", '{"RS256":1}'),
        ("number", "256"),
        ("true", "true"),
    ]:
        head = with_literal(header(), "alg", literal)
        about = f"the algorithm is {literal}"
        rows.append(case(f"alg-is-{name}", about, sign(head), "token_header", HEADER))
    rows += [
        case("alg-absent", "no algorithm", sign(header(alg=ABSENT)), "token_header", HEADER),
        case(
            "alg-eddsa-with-rsa-key",
            "the header says EdDSA, the key is for RSA",
            sign(header(alg="EdDSA"), signer=ED_A.sign),
            "token_algorithm",
            ALGORITHM,
        ),
        case(
            "alg-rs256-with-ed25519-key",
            "the header says RS256, the key is for Ed25519",
            sign(header(kid="ed-a")),
            "token_algorithm",
            ALGORITHM,
        ),
        case(
            "alg-not-allowed-here",
            "a good RS256 token for a client that takes EdDSA only",
            sign(),
            "token_algorithm",
            ALGORITHM,
            algorithms=["EdDSA"],
        ),
        case(
            "alg-allowed-here",
            "a good EdDSA token for a client that takes EdDSA only",
            sign(header(alg="EdDSA", kid="ed-a"), signer=ED_A.sign),
            accepted(),
            ALGORITHM,
            algorithms=["EdDSA"],
        ),
        case(
            "alg-eddsa-not-allowed-here",
            "a good EdDSA token for a client that takes RS256 only",
            sign(header(alg="EdDSA", kid="ed-a"), signer=ED_A.sign),
            "token_algorithm",
            ALGORITHM,
            algorithms=["RS256"],
        ),
    ]
    return rows


def key_ids() -> list[Case]:
    """Key ids that are none, and key ids of no key."""
    rows = [
        case("kid-absent", "no key id", sign(header(kid=ABSENT)), "token_header", HEADER),
        case("kid-empty", "an empty key id", sign(header(kid="")), "token_header", HEADER),
        case(
            "kid-513-octets",
            "a key id that is one octet too long",
            sign(header(kid=LONG_KID + "k")),
            "token_header",
            "policy: a key id has at most 512 octets",
        ),
    ]
    literals = {"null": "null", "number": "1", "array": '["rsa-a"]', "object": '{"rsa-a":1}'}
    for name, literal in literals.items():
        head = with_literal(header(), "kid", literal)
        about = f"the key id is {literal}"
        rows.append(case(f"kid-is-{name}", about, sign(head), "token_header", HEADER))
    unknown = {
        **{"plain": "rsa-z", "upper-case": "RSA-A", "space": "rsa-a ", "nul": "rsa-a\0"},
        **{"path": "../../../dev/null", "sql": "rsa-a' OR '1'='1", "prefix": "rsa"},
    }
    rows += [
        case(
            f"kid-unknown-{name}",
            f"no key has the id {kid!a}",
            sign(header(kid=kid)),
            "token_key_unknown",
            "RFC 7515, section 4.1.4; RFC 8725, section 3.10",
        )
        for name, kid in unknown.items()
    ]
    return rows


def types() -> list[Case]:
    """Types that are not JWT."""
    literals = {
        "access-token": '"at+jwt"',
        "media-type": '"application/jwt"',
        "logout-token": '"logout+jwt"',
        "jose": '"JOSE"',
        "empty": '""',
        "space": '"JWT "',
        "null": "null",
        "number": "1",
        "array": '["JWT"]',
    }
    return [
        case(
            f"typ-{name}",
            f"the type is {literal}",
            sign(with_literal(header(), "typ", literal)),
            "token_header",
            "RFC 8725, section 3.11",
        )
        for name, literal in literals.items()
    ]


def extensions() -> list[Case]:
    """Members that change what a token means, and members that offer keys."""
    attacker = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": base64url(ED_A.public)}
    members: list[tuple[str, dict[str, object]]] = [
        ("crit-unknown", {"crit": ["exp2"], "exp2": 1}),
        ("crit-known", {"crit": ["b64"], "b64": False}),
        ("crit-empty", {"crit": []}),
        ("crit-null", {"crit": None}),
        ("b64-false", {"b64": False}),
        ("b64-true", {"b64": True}),
        ("zip", {"zip": "DEF"}),
        ("cty", {"cty": "JWT"}),
    ]
    rows = [
        case(
            f"header-{name}",
            f"the header has {' and '.join(extra)}",
            sign(header(**extra)),
            "token_header",
            EXTENSION if "crit" in name else "policy: a login token has no such member; RFC 7797",
        )
        for name, extra in members
    ]
    offers: list[tuple[str, dict[str, object]]] = [
        ("jwk", {"jwk": RSA_A.jwk("rsa-a")}),
        ("jku", {"jku": "https://evil.example/keys.json"}),
        ("x5u", {"x5u": "https://evil.example/chain.pem"}),
        ("x5c", {"x5c": ["MIIB"]}),
    ]
    for name, extra in offers:
        about = f"the header has {name}, which is not looked at"
        rows.append(
            case(f"header-{name}-ignored", about, sign(header(**extra)), accepted(), HEADER)
        )
    rows += [
        case(
            "header-jwk-attack",
            "the header brings the attacker's own key, under a known key id",
            sign(header(alg="EdDSA", kid="ed-b", jwk=attacker), signer=ED_A.sign),
            "token_signature",
            "CVE-2018-0114",
        ),
        case(
            "header-jwk-without-kid",
            "the header brings a key instead of naming one",
            sign(header(kid=ABSENT, jwk=RSA_A.jwk("rsa-a"))),
            "token_header",
            "CVE-2018-0114",
        ),
    ]
    return rows


def json_texts() -> list[Case]:
    """Headers that are no JSON object, or more than one."""
    good_text = text(header())
    deep = "[" * 40 + "]" * 40
    texts: list[tuple[str, str, str | bytes]] = [
        ("array", "an array of the values", '["RS256","rsa-a","JWT"]'),
        ("array-of-object", "an object in an array", f"[{good_text}]"),
        ("string", "a string", '"RS256"'),
        ("null", "null", "null"),
        ("not-json", "no JSON", "RS256"),
        ("python", "single quotes", "{'alg':'RS256','kid':'rsa-a'}"),
        ("comment", "a comment", '{/**/"alg":"RS256","kid":"rsa-a"}'),
        ("trailing-comma", "a comma before the end", '{"alg":"RS256","kid":"rsa-a",}'),
        ("unclosed", "the end is missing", good_text[:-1]),
        ("trailing", "something after the object", f"{good_text}x"),
        ("two", "two objects", f"{good_text}{good_text}"),
        ("bom", "a byte order mark", b"\xef\xbb\xbf" + good_text.encode()),
        ("utf-16", "UTF-16", good_text.encode("utf-16")),
        ("latin-1", "no UTF-8", b'{"alg":"RS256","kid":"rsa-a","x":"\xe9"}'),
        ("overlong", "an overlong encoding", b'{"alg":"RS256","kid":"rsa-a","x":"\xc0\xaf"}'),
        ("control", "a control character in a string", '{"alg":"RS256","kid":"rsa-a","x":"\t"}'),
        ("surrogate", "a lone surrogate", r'{"alg":"RS256","kid":"rsa-a","x":"\ud800"}'),
        ("surrogate-nested", "one further in", r'{"alg":"RS256","kid":"rsa-a","x":["\udc00"]}'),
        ("deep", "40 levels", f'{{"alg":"RS256","kid":"rsa-a","x":{deep}}}'),
    ]
    twice = [
        ("alg", "none before RS256", '{"alg":"none","alg":"RS256","kid":"rsa-a"}'),
        ("alg-after", "none after RS256", '{"alg":"RS256","alg":"none","kid":"rsa-a"}'),
        ("kid", "two key ids", '{"alg":"RS256","kid":"rsa-b","kid":"rsa-a"}'),
        ("escaped", "spelt with an escape", r'{"alg":"RS256","\u0061lg":"RS256","kid":"rsa-a"}'),
        ("unknown", "of no importance", '{"alg":"RS256","kid":"rsa-a","x":1,"x":1}'),
    ]
    rows = [
        case(f"header-{name}", f"the header: {about}", sign(head), "token_header", "RFC 8259")
        for name, about, head in texts
    ]
    rows += [
        case(f"header-twice-{name}", f"a member twice: {about}", sign(head), "token_header", UNIQUE)
        for name, about, head in twice
    ]
    return rows
