"""Invalid numbers and points in keys."""

from . import edwards
from .key_documents import KEY, RSA, SIZE, unusable
from .keys import ED_A, RSA_1024, RSA_A, Jwk, base64url, number, without
from .mint import Case

OKP = "RFC 8037, section 2"
POINT = "RFC 8032, section 5.1.3; small-order points verify forged signatures"

PRIME = edwards.PRIME
ORDER_EIGHT = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)


def rsa() -> list[Case]:
    """Invalid moduli and exponents."""
    a = RSA_A.jwk("a")
    modulus, exponent = str(a["n"]), str(a["e"])
    raw = RSA_A.n.to_bytes(256, "big")
    rows: list[tuple[str, Jwk, str]] = [
        ("n-absent", without(a, "n"), RSA),
        ("n-empty", {**a, "n": ""}, RSA),
        ("n-number", {**a, "n": 5}, RSA),
        ("n-zero-in-front", {**a, "n": base64url(b"\0" + raw)}, RSA),
        ("n-padded", {**a, "n": f"{modulus}=="}, RSA),
        ("n-standard-alphabet", {**a, "n": standard(raw)}, RSA),
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
        ("n-null", {**a, "n": None}, RSA),
        ("n-array", {**a, "n": [modulus]}, RSA),
        ("n-hexadecimal", {**a, "n": raw.hex(":")}, RSA),
        ("n-decimal", {**a, "n": str(RSA_A.n)}, RSA),
        ("n-one-byte", {**a, "n": "_w"}, SIZE),
        ("n-zero", {**a, "n": "AA"}, RSA),
        ("n-zeros", {**a, "n": base64url(bytes(256))}, RSA),
        ("n-512", {**a, "n": number(RSA_A.n >> 1536 | 1)}, SIZE),
        ("n-2040", {**a, "n": number(RSA_A.n >> 8 | 1)}, SIZE),
        ("n-16384", {**a, "n": number(2**16384 - 1)}, SIZE),
        ("n-power-of-two", {**a, "n": number(2**2047)}, "the product of two odd primes is odd"),
        ("n-nul", {**a, "n": f"{modulus}\0"}, RSA),
        ("n-led-by-space", {**a, "n": f" {modulus}"}, RSA),
        ("n-lone-character", {**a, "n": f"{modulus}AAA"}, RSA),
        ("n-negative", {**a, "n": f"-{modulus[1:]}="}, RSA),
        ("n-is-e", {**a, "n": exponent}, SIZE),
        ("n-and-e-exchanged", {**a, "n": exponent, "e": modulus}, SIZE),
        ("e-null", {**a, "e": None}, RSA),
        ("e-array", {**a, "e": [1, 0, 1]}, RSA),
        ("e-decimal", {**a, "e": "65537"}, RSA),
        ("e-white-space", {**a, "e": "AQAB\n"}, RSA),
        ("e-stray-bits", {**a, "e": "Ax"}, RSA),
        ("e-64-bits", {**a, "e": number(2**63 + 1)}, "policy: exponents have at most 33 bits"),
        ("e-256-bits", {**a, "e": number(2**255 + 1)}, "policy: exponents have at most 33 bits"),
        ("e-four", {**a, "e": number(4)}, "RFC 8017, section 3.1: e is odd and at least three"),
        ("e-upper-case-name", {**without(a, "e"), "E": exponent}, RSA),
    ]
    return [unusable(f"rsa-{name}", key, basis) for name, key, basis in rows]


def standard(raw: bytes) -> str:
    """The bytes in the other alphabet of base64."""
    text = base64url(raw)
    assert {"-", "_"} & set(text)
    return text.replace("-", "+").replace("_", "/")


def stray(text: str) -> str:
    """The text with the lowest, unused bit of its last character set."""
    assert len(text) % 4 == 2
    assert text[-1] in "AQgw"
    return text[:-1] + chr(ord(text[-1]) + 1)


def ed25519() -> list[Case]:
    """Invalid points."""
    a = ED_A.jwk("a")
    x, raw = str(a["x"]), ED_A.public
    rows: list[tuple[str, Jwk, str]] = [
        ("crv-absent", without(a, "crv"), OKP),
        ("crv-x25519", {**a, "crv": "X25519"}, OKP),
        ("crv-ed448", {**a, "crv": "Ed448"}, OKP),
        ("crv-lower-case", {**a, "crv": "ed25519"}, OKP),
        ("alg-ed25519", {**a, "alg": "Ed25519"}, "policy: only the name that the broker uses"),
        ("alg-rs256", {**a, "alg": "RS256"}, OKP),
        ("alg-null", {**a, "alg": None}, OKP),
        ("use-enc", {**a, "use": "enc"}, f"{KEY}.2"),
        ("private", {**a, "d": base64url(bytes(32))}, "RFC 7517, section 9.2"),
        ("x-absent", without(a, "x"), OKP),
        ("x-empty", {**a, "x": ""}, OKP),
        ("x-31-bytes", {**a, "x": base64url(raw[:-1])}, OKP),
        ("x-33-bytes", {**a, "x": base64url(raw + b"\0")}, OKP),
        ("x-padded", {**a, "x": f"{x}="}, OKP),
        ("x-hexadecimal", {**a, "x": raw.hex()}, OKP),
        ("x-null", {**a, "x": None}, OKP),
        ("x-number", {**a, "x": 9}, OKP),
        ("x-array", {**a, "x": [x]}, OKP),
        ("x-standard-alphabet", {**a, "x": "+" + x[1:]}, OKP),
        ("x-stray-bits", {**a, "x": x[:-1] + chr(ord(x[-1]) + 1)}, OKP),
        ("x-led-by-byte", {**a, "x": base64url(b"\x40" + raw)}, OKP),
        ("x-64-bytes", {**a, "x": base64url(raw * 2)}, OKP),
        ("x-white-space", {**a, "x": f"{x}\n"}, OKP),
        ("x-der", {**a, "x": base64url(bytes.fromhex("302a300506032b6570032100") + raw)}, OKP),
        ("crv-null", {**a, "crv": None}, OKP),
        ("crv-array", {**a, "crv": ["Ed25519"]}, OKP),
        ("crv-p-256", {**a, "crv": "P-256"}, OKP),
        ("crv-ed25519ph", {**a, "crv": "Ed25519ph"}, OKP),
        ("crv-space", {**a, "crv": "Ed25519 "}, OKP),
        ("kty-ec", {**a, "kty": "EC"}, OKP),
        ("kty-rsa", {**a, "kty": "RSA"}, OKP),
        ("alg-ed448", {**a, "alg": "Ed448"}, "policy: only the name that the broker uses"),
        ("alg-lower-case", {**a, "alg": "eddsa"}, "policy: only the name that the broker uses"),
        ("alg-hs256", {**a, "alg": "HS256"}, OKP),
        ("use-null", {**a, "use": None}, f"{KEY}.2"),
        ("key-ops-sign", {**a, "key_ops": ["sign"]}, f"{KEY}.3"),
        ("key-ops-derive", {**a, "key_ops": ["deriveKey"]}, f"{KEY}.3"),
        ("private-null", {**a, "d": None}, "RFC 7517, section 9.2"),
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
