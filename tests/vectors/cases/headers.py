"""The values of header members."""

import hmac

from .keys import ED_A, RSA_A, RSA_B, base64url
from .mint import ABSENT, Case, accepted, case, header, sign, with_literal

ALGORITHM = "RFC 8725, sections 2.1, 3.1 and 3.2"
HEADER = "RFC 7515, section 4"
EXTENSION = "RFC 7515, section 4.1.11"
LONG_KID = "k" * 512


def algorithms() -> list[Case]:
    """Algorithms that are not accepted."""
    others = {
        **{"none": "none", "none-title": "None", "none-upper": "NONE", "none-mixed": "nOnE"},
        **{"hs256": "HS256", "hs384": "HS384", "hs512": "HS512", "rs384": "RS384"},
        **{"rs512": "RS512", "ps256": "PS256", "es256": "ES256", "es256k": "ES256K"},
        **{"ed25519": "Ed25519", "ed448": "Ed448", "rs256-lower": "rs256", "eddsa-upper": "EDDSA"},
        **{"rs256-space": "RS256 ", "rs256-nul": "RS256\0", "rs256-folded": "RS2\u217256"},
        **{"rsa": "RSA", "dir": "dir", "empty": ""},
        **{"none-space": "none ", "none-nul": "none\0", "none-full-width": "\uff4eone"},
        **{"hs1": "HS1", "rs1": "RS1", "ps384": "PS384", "ps512": "PS512", "es384": "ES384"},
        **{"es512": "ES512", "rsa-oaep": "RSA-OAEP", "a128kw": "A128KW", "ecdh-es": "ECDH-ES"},
        **{"pbes2": "PBES2-HS256+A128KW", "ml-dsa": "ML-DSA-44", "java": "SHA256withRSA"},
        **{"xml": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "null-text": "null"},
        **{"rs256-line-feed": "RS256\n", "rs256-tab": "\tRS256", "rs256-mixed": "Rs256"},
        **{"rs256-dash": "RS-256", "both": "RS256,none", "eddsa-lower": "eddsa"},
        **{"ed25519ph": "Ed25519ph", "long": "RS256" * 200},
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
    """Invalid key ids, and key ids without a key."""
    rows = [
        case("kid-absent", "no key id", sign(header(kid=ABSENT)), "token_header", HEADER),
        case("kid-empty", "an empty key id", sign(header(kid="")), "token_header", HEADER),
        case(
            "kid-513-bytes",
            "a key id that is one byte too long",
            sign(header(kid=LONG_KID + "k")),
            "token_header",
            "policy: a key id has at most 512 bytes",
        ),
    ]
    literals = {"null": "null", "number": "1", "array": '["rsa-a"]', "object": '{"rsa-a":1}'}
    literals |= {"true": "true", "query": '{"$ne":null}', "array-of-two": '["rsa-a","rsa-b"]'}
    rows.append(
        case(
            "kid-514-bytes-unicode",
            "a key id of 257 letters, of two bytes each",
            sign(header(kid="\xe9" * 257)),
            "token_header",
            "policy: a key id has at most 512 bytes",
        )
    )
    for name, literal in literals.items():
        head = with_literal(header(), "kid", literal)
        about = f"the key id is {literal}"
        rows.append(case(f"kid-is-{name}", about, sign(head), "token_header", HEADER))
    unknown = {
        **{"plain": "rsa-z", "upper-case": "RSA-A", "space": "rsa-a ", "nul": "rsa-a\0"},
        **{"path": "../../../dev/null", "sql": "rsa-a' OR '1'='1", "prefix": "rsa"},
        **{"sql-union": "x' UNION SELECT 'secret' -- ", "command": "rsa-a|id", "backtick": "`id`"},
        **{"url": "https://evil.example/keys.json#rsa-a", "file-url": "file:///dev/null"},
        **{"ldap": "*)(kid=*", "xpath": "' or '1'='1", "wildcard": "*", "regular-expression": ".*"},
        **{"template": "{{7*7}}", "format": "%s%s%n", "line-feed": "rsa-a\n", "crlf": "a\r\nX: y"},
        **{"prototype": "__proto__", "method": "toString", "index": "0", "null-text": "null"},
        **{"decomposed": "cle\u0301", "full-width": "\uff52sa-a", "look-alike": "rs\u0430-a"},
        **{"zero-width": "rsa-a\u200b", "escaped-nul": "rsa-a%00", "quoted": '"rsa-a"'},
        **{"markup": "<script>alert(1)</script>", "512-bytes": "x" * 512},
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
        "true": "true",
        "object": '{"JWT":1}',
        "dpop": '"dpop+jwt"',
        "secevent": '"secevent+jwt"',
        "request": '"oauth-authz-req+jwt"',
        "jws": '"JWS"',
        "nul": r'"JWT\u0000"',
        "full-width": '"\uff2aWT"',
        "full-media-type": '"application/JWT"',
        "list": '"JWT,at+jwt"',
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
        ("b64-null", {"b64": None}),
        ("b64-string", {"b64": "false"}),
        ("zip", {"zip": "DEF"}),
        ("zip-null", {"zip": None}),
        ("cty", {"cty": "JWT"}),
        ("cty-empty", {"cty": ""}),
        ("cty-null", {"cty": None}),
        ("crit-string", {"crit": "exp"}),
        ("crit-object", {"crit": {}}),
        ("crit-alg", {"crit": ["alg"]}),
        ("crit-twice", {"crit": ["exp", "exp"], "exp": 1}),
        ("crit-absent-member", {"crit": ["http://example.com/x"]}),
        ("crit-empty-name", {"crit": [""]}),
        ("crit-false", {"crit": False}),
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
        ("x5t", {"x5t": "AQ"}),
        ("x5t-s256", {"x5t#S256": "AQ"}),
        ("jku-metadata", {"jku": "http://169.254.169.254/latest/meta-data/"}),
        ("jku-file", {"jku": "file:///etc/passwd"}),
        ("jku-number", {"jku": 1}),
        ("jwk-null", {"jwk": None}),
        ("epk", {"epk": {"kty": "OKP"}}),
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
            "header-jwk-attack-rsa",
            "the header brings the attacker's own RSA key, under a known key id",
            sign(header(jwk=RSA_B.jwk("rsa-a")), signer=RSA_B.sign),
            "token_signature",
            "CVE-2018-0114",
        ),
        case(
            "header-jku-attack",
            "the header says where the attacker's key is, under a known key id",
            sign(header(jku="https://evil.example/keys.json"), signer=RSA_B.sign),
            "token_signature",
            "RFC 8725, section 3.10",
        ),
        case(
            "header-jku-attack-own-kid",
            "the header says where the attacker's key is, under its own key id",
            sign(header(kid="evil", jku="https://evil.example/keys.json"), signer=RSA_B.sign),
            "token_key_unknown",
            "RFC 8725, section 3.10",
        ),
        case(
            "header-x5c-attack",
            "the header brings the attacker's certificate",
            sign(header(x5c=["MIIBIjANBgkqhkiG9w0BAQ"]), signer=RSA_B.sign),
            "token_signature",
            "RFC 7515, section 4.1.6",
        ),
        case(
            "header-jwk-symmetric",
            "the header brings a secret, and is authenticated with it",
            sign(
                header(alg="HS256", jwk={"kty": "oct", "k": base64url(b"secret")}),
                signer=lambda message: hmac.digest(b"secret", message, "sha256"),
            ),
            "token_algorithm",
            "CVE-2018-0114; RFC 8725, section 3.1",
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
