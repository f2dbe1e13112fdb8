"""Valid signatures, and numbers that are no RSA signature."""

from .ed25519 import ed_header
from .keys import ED_A, ED_B, RSA_3072, RSA_A, RSA_B, base64url
from .mint import Case, accepted, case, claims, flipped, header, sign, text

RSA = "RFC 8017, section 8.2.2"


def good() -> list[Case]:
    """Every kind of key that is accepted."""
    return [
        case("rs256-2048", "RS256, 2048 bits", sign(), accepted(), RSA),
        case(
            "rs256-other-key",
            "RS256 with the broker's next key",
            sign(header(kid="rsa-b"), signer=RSA_B.sign),
            accepted(),
            "Portier: the key set holds the current and the next key",
        ),
        case(
            "rs256-3072",
            "RS256, 3072 bits",
            sign(header(kid="rsa-3072"), signer=RSA_3072.sign),
            accepted(),
            RSA,
        ),
        case("eddsa", "EdDSA", sign(ed_header(), signer=ED_A.sign), accepted(), "RFC 8037"),
        case(
            "eddsa-key-without-alg",
            "EdDSA with a key that names no algorithm",
            sign(ed_header("ed-b"), signer=ED_B.sign),
            accepted(),
            "RFC 8037, section 2",
        ),
    ]


def numbers() -> list[Case]:
    """Numbers near a good signature, and sizes other than the key's."""
    good_token = sign()
    signed, _, encoded = good_token.rpartition(".")
    message = signed.encode()
    signature = RSA_A.sign(message)
    assert base64url(signature) == encoded
    value = int.from_bytes(signature, "big")
    rows = [
        ("other-key", "made with another key of the broker", RSA_B.sign(message)),
        ("larger-key", "made with a larger key of the broker", RSA_3072.sign(message)),
        ("shorter", "missing its last byte", signature[:-1]),
        ("first-byte-missing", "missing its first byte", signature[1:]),
        ("longer", "followed by a zero byte", signature + b"\0"),
        ("zero-in-front", "led by a zero byte", b"\0" + signature),
        ("zeros-in-front", "led by as many zeros again", bytes(256) + signature),
        ("twice", "there twice", signature * 2),
        ("bit-flipped", "a good one but for one bit", flipped(signature)),
        ("zero", "zero", bytes(256)),
        ("zero-byte", "a single zero byte", b"\0"),
        ("one", "one", bytes(255) + b"\1"),
        ("one-byte", "a single byte", b"\1"),
        ("all-ones", "all ones", b"\xff" * 256),
        ("modulus-less-one", "the modulus less one", (RSA_A.n - 1).to_bytes(256, "big")),
        ("modulus", "the modulus", RSA_A.n.to_bytes(256, "big")),
        ("modulus-and-one", "the modulus and one", (RSA_A.n + 1).to_bytes(256, "big")),
        (
            "plus-modulus",
            "larger than a good one by the modulus",
            (value + RSA_A.n).to_bytes(257, "big"),
        ),
        ("negated", "the negative of a good one", (RSA_A.n - value).to_bytes(256, "big")),
        ("inverted", "the inverse of a good one", pow(value, -1, RSA_A.n).to_bytes(256, "big")),
        ("squared", "the square of a good one", pow(value, 2, RSA_A.n).to_bytes(256, "big")),
        ("largest", "as long as a token can hold", b"\x5a" * 11_000),
    ]
    made = [
        case(
            f"rs256-signature-{name}",
            f"the signature is {about}",
            f"{signed}.{base64url(wrong)}",
            "token_signature",
            RSA,
        )
        for name, about, wrong in rows
    ]
    small, value = smaller_than(2**2048 - RSA_A.n)
    made.append(
        case(
            "rs256-signature-plus-modulus-same-length",
            "the signature is larger than a good one by the modulus, and no longer than it",
            f"{small}.{base64url((value + RSA_A.n).to_bytes(256, 'big'))}",
            "token_signature",
            RSA,
        )
    )
    other = sign(payload=claims(email="mallory@example.com")).split(".")
    made += [
        case(
            "rs256-other-payload",
            "the signature is that of another token",
            f"{signed}.{other[2]}",
            "token_signature",
            RSA,
        ),
        case(
            "rs256-other-header",
            "the signature is that of the same payload under another header",
            f"{signed}.{sign(header(x=1)).split('.')[2]}",
            "token_signature",
            "RFC 7515, section 5.2",
        ),
        case(
            "rs256-shifted-dot",
            "the dot moved by four characters, which leaves the bytes as they were",
            shifted(sign(text(header()) + " ")),
            "token_header",
            "RFC 7515, section 5.2",
        ),
    ]
    return made


def smaller_than(limit: int) -> tuple[str, int]:
    """What is signed, and a good signature as a number, so that it is below the limit."""
    for number in range(100):
        signed = sign(payload=claims(x=number)).rpartition(".")[0]
        value = int.from_bytes(RSA_A.sign(signed.encode()), "big")
        if value < limit:
            return signed, value
    raise AssertionError("no signature is as small as that")


def shifted(token: str) -> str:
    """The token with four characters of its payload in its header."""
    head, payload, signature = token.split(".")
    return f"{head}{payload[:4]}.{payload[4:]}.{signature}"
