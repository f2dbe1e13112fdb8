"""`key_sets.json`: documents, and the keys a client can use of each."""

import json

from .keys import ED_A, ED_B, RSA_1024, RSA_3072, RSA_A, RSA_B, Jwk, base64url, number, without

ABOUT = (
    "The broker answers a request for its keys with `body`. `expect` lists the usable keys in the "
    "order of the document, or is the code of the error. Written by generate.py."
)
SET = "RFC 7517, section 5"
KEY = "RFC 7517, section 4"
RSA = "RFC 7518, sections 2 and 6.3.1"
SIZE = "RFC 7518, section 3.3; policy: at most 8192 bits"
OKP = "RFC 8037, section 2"
POINT = "RFC 8032, section 5.1.3; small-order points verify forged signatures"
POLICY = "policy: an RSA key names its algorithm, so that no other padding is meant"

PRIME = 2**255 - 19
ORDER_EIGHT = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)

Case = dict[str, object]
A = {"id": "a", "algorithm": "RS256", "bits": 2048}
GOOD = {"id": "good", "algorithm": "EdDSA", "bits": 256}


def document() -> dict[str, object]:
    """The whole file."""
    return {"about": ABOUT, "cases": [*good(), *sets(), *texts(), *members(), *rsa(), *ed25519()]}


def body(*keys: object) -> str:
    """A key set."""
    return json.dumps({"keys": keys})


def case(identifier: str, about: str, text: str, expect: object, basis: str) -> Case:
    """One case; `expect` is an error's code or a list of keys."""
    outcome = {"code": expect} if isinstance(expect, str) else {"keys": expect}
    return {"id": identifier, "about": about, "body": text, "expect": outcome, "basis": basis}


def good() -> list[Case]:
    """Sets of good keys."""
    a, b = RSA_A.jwk("a"), RSA_B.jwk("b")
    ed = {"id": "ed", "algorithm": "EdDSA", "bits": 256}
    exponents = {"three": 3, "seventeen": 17, "33-bits": 2**32 + 1}
    rows = [
        ("one", "one key", [a], [A]),
        ("rotation", "the current and the next key", [a, b], [A, {**A, "id": "b"}]),
        ("both-kinds", "both algorithms", [a, ED_A.jwk("ed")], [A, ed]),
        ("3072", "3072 bits", [RSA_3072.jwk("a")], [{**A, "bits": 3072}]),
        ("no-use", "a key without use", [without(a, "use")], [A]),
        ("key-ops", "a key for verifying", [{**a, "key_ops": ["verify"]}], [A]),
        ("two-key-ops", "a key for more", [{**a, "key_ops": ["sign", "verify"]}], [A]),
        ("ed-no-alg", "an Ed25519 key without alg", [without(ED_A.jwk("ed"), "alg")], [ed]),
        ("certificate", "a key with a certificate", [{**a, "x5c": ["MIIB"], "x5t": "AQ"}], [A]),
        ("unknown-members", "unknown members", [{**a, "x": {"y": [1, None]}}], [A]),
        (
            "kid-unicode",
            "a key id outside of ASCII",
            [{**a, "kid": "\u00e9"}],
            [{**A, "id": "\u00e9"}],
        ),
        ("kid-512", "a long key id", [{**a, "kid": "k" * 512}], [{**A, "id": "k" * 512}]),
    ]
    made = [
        case(f"good-{name}", about, body(*keys), expect, KEY) for name, about, keys, expect in rows
    ]
    for bits in (2049, 8192):
        jwk = {**a, "n": number(2 ** (bits - 1) + 1)}
        made.append(
            case(f"good-{bits}-bits", f"{bits} bits", body(jwk), [{**A, "bits": bits}], SIZE)
        )
    for name, exponent in exponents.items():
        jwk = {**a, "e": number(exponent)}
        made.append(case(f"good-exponent-{name}", f"the exponent {exponent}", body(jwk), [A], RSA))
    return made


def sets() -> list[Case]:
    """Several keys, of which some or all cannot be used."""
    a, b, small = RSA_A.jwk("a"), RSA_B.jwk("a"), RSA_1024.jwk("a")
    ed = ED_B.jwk("good")
    many = [{**a, "kid": f"k{index}"} for index in range(65)]
    return [
        case("empty", "no keys", body(), "broker_document", SET),
        case("only-unusable", "no usable key", body(small), "broker_document", SET),
        case("unusable-ignored", "a usable and an unusable key", body(small, ed), [GOOD], SET),
        case(
            "others-ignored", "what is no key at all", body(1, None, [], "k", [a], ed), [GOOD], SET
        ),
        case("kid-twice", "two keys with one id", body(a, b, ed), [GOOD], "policy: ambiguous ids"),
        case("kid-twice-same", "one key twice", body(a, a, ed), [GOOD], "policy: ambiguous ids"),
        case(
            "kid-twice-mixed",
            "one of the two is unusable",
            body(a, small, ed),
            [GOOD],
            "policy: ambiguous ids",
        ),
        case(
            "kid-twice-kinds",
            "of two kinds",
            body(a, ED_A.jwk("a"), ed),
            [GOOD],
            "policy: ambiguous ids",
        ),
        case(
            "kid-twice-only", "no other key", body(a, b), "broker_document", "policy: ambiguous ids"
        ),
        case(
            "64-keys",
            "64 keys",
            body(*many[:64]),
            [{**A, "id": key["kid"]} for key in many[:64]],
            "policy: at most 64 keys",
        ),
        case("65-keys", "65 keys", body(*many), "broker_document", "policy: at most 64 keys"),
    ]


def texts() -> list[Case]:
    """Documents that are no key set."""
    plain = body(RSA_A.jwk("a"))
    key = json.dumps(RSA_A.jwk("a"))
    rows = [
        ("empty", ""),
        ("html", "<!doctype html><title>502 Bad Gateway</title>"),
        ("null", "null"),
        ("array", f"[{key}]"),
        ("array-of-set", f"[{plain}]"),
        ("array-of-array", f"[[{key}]]"),
        ("key", key),
        ("object-of-keys", f'{{"keys":{{"a":{key}}}}}'),
        ("keys-null", '{"keys":null}'),
        ("keys-string", '{"keys":"a"}'),
        ("keys-upper-case", plain.replace('"keys"', '"Keys"')),
        ("keys-twice", f'{{"keys":[],{plain[1:]}'),
        ("keys-twice-escaped", rf'{{"k\u0065ys":[],{plain[1:]}'),
        ("truncated", plain[:-2]),
        ("trailing", f"{plain};"),
        ("bom", f"\ufeff{plain}"),
        ("deep", f'{{"x":{"[" * 40}{"]" * 40},{plain[1:]}'),
        ("lone-surrogate", rf'{{"x":"\ud800",{plain[1:]}'),
    ]
    return [
        case(
            f"text-{name}",
            "the document is not a key set",
            text,
            "broker_document",
            f"{SET}; RFC 8259",
        )
        for name, text in rows
    ]


def members() -> list[Case]:
    """Keys that say they are for something else, or say it badly."""
    a = RSA_A.jwk("a")
    rows: list[tuple[str, Jwk, str]] = [
        ("kid-absent", without(a, "kid"), KEY),
        ("kid-empty", {**a, "kid": ""}, KEY),
        ("kid-number", {**a, "kid": 1}, KEY),
        ("kid-null", {**a, "kid": None}, KEY),
        ("kid-513", {**a, "kid": "k" * 513}, "policy: a key id has at most 512 octets"),
        ("kty-absent", without(a, "kty"), KEY),
        ("kty-lower-case", {**a, "kty": "rsa"}, KEY),
        ("kty-okp", {**a, "kty": "OKP"}, KEY),
        ("kty-array", {**a, "kty": ["RSA"]}, KEY),
        ("alg-absent", without(a, "alg"), POLICY),
        ("alg-null", {**a, "alg": None}, POLICY),
        ("alg-rs512", {**a, "alg": "RS512"}, POLICY),
        ("alg-ps256", {**a, "alg": "PS256"}, POLICY),
        ("alg-hs256", {**a, "alg": "HS256"}, POLICY),
        ("alg-none", {**a, "alg": "none"}, POLICY),
        ("alg-lower-case", {**a, "alg": "rs256"}, POLICY),
        ("use-enc", {**a, "use": "enc"}, f"{KEY}.2"),
        ("use-null", {**a, "use": None}, f"{KEY}.2"),
        ("use-array", {**a, "use": ["sig"]}, f"{KEY}.2"),
        ("key-ops-sign", {**a, "key_ops": ["sign"]}, f"{KEY}.3"),
        ("key-ops-empty", {**a, "key_ops": []}, f"{KEY}.3"),
        ("key-ops-string", {**a, "key_ops": "verify"}, f"{KEY}.3"),
        ("key-ops-null", {**a, "key_ops": None}, f"{KEY}.3"),
        ("key-ops-mixed", {**a, "key_ops": ["verify", 1]}, f"{KEY}.3"),
        *((f"private-{name}", {**a, name: "AQ"}, "RFC 7517, section 9.2") for name in PRIVATE),
        ("symmetric", {"kty": "oct", "alg": "HS256", "kid": "a", "k": "AQ"}, KEY),
        (
            "elliptic",
            {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "a", "x": "AQ", "y": "AQ"},
            KEY,
        ),
    ]
    made = [unusable(f"key-{name}", key, basis) for name, key, basis in rows]
    twice = json.dumps(a)[:-1] + f', "n": "{number(RSA_B.n)}"}}'
    escaped = json.dumps(a)[:-1] + r', "\u006e": "AQ"}'
    for name, key in [("member-twice", twice), ("member-twice-escaped", escaped)]:
        text = f'{{"keys": [{key}, {json.dumps(ED_B.jwk("good"))}]}}'
        made.append(case(f"key-{name}", "a key has a member twice", text, [GOOD], KEY))
    return made


PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")


def unusable(identifier: str, key: Jwk, basis: str) -> Case:
    """A set of one key that is left out and one that is not."""
    about = "the first key cannot be used"
    return case(identifier, about, body(key, ED_B.jwk("good")), [GOOD], basis)


def rsa() -> list[Case]:
    """Moduli and exponents that are not right."""
    a = RSA_A.jwk("a")
    modulus, exponent = str(a["n"]), str(a["e"])
    octets = RSA_A.n.to_bytes(256, "big")
    rows: list[tuple[str, Jwk, str]] = [
        ("n-absent", without(a, "n"), RSA),
        ("n-empty", {**a, "n": ""}, RSA),
        ("n-number", {**a, "n": 5}, RSA),
        ("n-zero-in-front", {**a, "n": base64url(b"\0" + octets)}, RSA),
        ("n-padded", {**a, "n": f"{modulus}=="}, RSA),
        ("n-standard-alphabet", {**a, "n": standard(octets)}, RSA),
        ("n-stray-bits", {**a, "n": stray(modulus)}, RSA),
        ("n-white-space", {**a, "n": f"{modulus[:64]}\n{modulus[64:]}"}, RSA),
        ("n-even", {**a, "n": number(RSA_A.n - 1)}, "the product of two odd primes is odd"),
        ("n-1024", RSA_1024.jwk("a"), SIZE),
        ("n-2047", {**a, "n": number(RSA_A.n >> 1 | 1)}, SIZE),
        ("n-8193", {**a, "n": number(2**8192 + 1)}, SIZE),
        ("e-absent", without(a, "e"), RSA),
        ("e-empty", {**a, "e": ""}, RSA),
        ("e-number", {**a, "e": 65537}, RSA),
        ("e-zero", {**a, "e": "AA"}, RSA),
        ("e-one", {**a, "e": number(1)}, "RFC 8017, section 3.1: e is odd and at least three"),
        ("e-two", {**a, "e": number(2)}, "RFC 8017, section 3.1: e is odd and at least three"),
        ("e-even", {**a, "e": number(65536)}, "RFC 8017, section 3.1: e is odd and at least three"),
        ("e-zero-in-front", {**a, "e": "AAEAAQ"}, RSA),
        ("e-padded", {**a, "e": f"{exponent}="}, RSA),
        ("e-34-bits", {**a, "e": number(2**33 + 1)}, "policy: exponents have at most 33 bits"),
        ("e-as-large-as-n", {**a, "e": modulus}, "policy: exponents have at most 33 bits"),
    ]
    return [unusable(f"rsa-{name}", key, basis) for name, key, basis in rows]


def standard(octets: bytes) -> str:
    """The octets in the other alphabet of base64."""
    text = base64url(octets)
    assert {"-", "_"} & set(text)
    return text.replace("-", "+").replace("_", "/")


def stray(text: str) -> str:
    """The text with the lowest, unused bit of its last character set."""
    assert len(text) % 4 == 2
    assert text[-1] in "AQgw"
    return text[:-1] + chr(ord(text[-1]) + 1)


def ed25519() -> list[Case]:
    """Points that are not right."""
    a = ED_A.jwk("a")
    x, octets = str(a["x"]), ED_A.public
    rows: list[tuple[str, Jwk, str]] = [
        ("crv-absent", without(a, "crv"), OKP),
        ("crv-x25519", {**a, "crv": "X25519"}, OKP),
        ("crv-ed448", {**a, "crv": "Ed448"}, OKP),
        ("crv-lower-case", {**a, "crv": "ed25519"}, OKP),
        ("alg-ed25519", {**a, "alg": "Ed25519"}, "policy: the one name the broker uses"),
        ("alg-rs256", {**a, "alg": "RS256"}, OKP),
        ("alg-null", {**a, "alg": None}, OKP),
        ("use-enc", {**a, "use": "enc"}, f"{KEY}.2"),
        ("private", {**a, "d": base64url(bytes(32))}, "RFC 7517, section 9.2"),
        ("x-absent", without(a, "x"), OKP),
        ("x-empty", {**a, "x": ""}, OKP),
        ("x-31-octets", {**a, "x": base64url(octets[:-1])}, OKP),
        ("x-33-octets", {**a, "x": base64url(octets + b"\0")}, OKP),
        ("x-padded", {**a, "x": f"{x}="}, OKP),
        ("x-hexadecimal", {**a, "x": octets.hex()}, OKP),
        *((f"x-{name}", {**a, "x": base64url(point)}, POINT) for name, point in points().items()),
    ]
    return [unusable(f"ed25519-{name}", key, basis) for name, key, basis in rows]


def points() -> dict[str, bytes]:
    """Encodings of points of small order, and encodings that are not canonical."""
    named = {
        "zero": 0,
        "one": 1,
        "minus-one": PRIME - 1,
        "order-eight": int.from_bytes(bytes.fromhex(ORDER_EIGHT[0]), "little"),
        "order-eight-too": int.from_bytes(bytes.fromhex(ORDER_EIGHT[1]), "little"),
        "prime": PRIME,
        "prime-and-one": PRIME + 1,
        "prime-and-three": PRIME + 3,
        "all-ones": 2**255 - 1,
    }
    plain = {name: y.to_bytes(32, "little") for name, y in named.items()}
    negative = {f"{name}-signed": (y + 2**255).to_bytes(32, "little") for name, y in named.items()}
    return {**plain, **negative}
