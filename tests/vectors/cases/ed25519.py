"""Invalid Ed25519 signatures."""

import hashlib

from . import edwards
from .keys import ED_A, ED_B, base64url
from .mint import Case, as_bytes, case, claims, flipped, header, sign

EDDSA = "RFC 8032, section 5.1.7"
STRICT = f"{EDDSA}; CVE-2020-36843"
COFACTOR = f"{EDDSA}: without the cofactor, like the other verifiers here"


def cases() -> list[Case]:
    """All cases of this file."""
    signed, _, _ = sign(ed_header(), signer=ED_A.sign).rpartition(".")
    message = signed.encode()
    signature = ED_A.sign(message)
    assert edwards.sign(ED_A.seed, message) == signature
    commitment, scalar = signature[:32], edwards.little(signature[32:])
    digest = hashlib.sha512(message).digest()

    def with_scalar(number: int) -> bytes:
        return commitment + number.to_bytes(32, "little")

    rows = [
        ("other-key", "made with another key of the broker", ED_B.sign(message), EDDSA),
        ("shorter", "missing its last byte", signature[:-1], EDDSA),
        ("longer", "followed by a zero byte", signature + b"\0", EDDSA),
        ("twice", "there twice", signature * 2, EDDSA),
        ("bit-flipped", "a good one but for one bit", flipped(signature), EDDSA),
        ("zero", "zero", bytes(64), EDDSA),
        ("identity", "the neutral point and zero", b"\1" + bytes(63), EDDSA),
        ("all-ones", "all ones", b"\xff" * 64, EDDSA),
        ("half", "the first half only", signature[:32], EDDSA),
        ("halves-swapped", "the halves in the other order", signature[32:] + commitment, EDDSA),
        ("reversed", "back to front", signature[::-1], EDDSA),
        ("hexadecimal", "in hexadecimal", signature.hex().encode(), EDDSA),
        (
            "malleable",
            "the other one of two that a lax verifier takes",
            with_scalar(scalar + edwards.ORDER),
            STRICT,
        ),
        (
            "scalar-plus-eight-orders",
            "larger than the group's order by eight times the order",
            with_scalar(scalar + 8 * edwards.ORDER),
            STRICT,
        ),
        ("scalar-high-bit", "a good one but for the scalar's highest bit", high(signature), STRICT),
        ("scalar-is-order", "the group's order for a scalar", with_scalar(edwards.ORDER), STRICT),
        ("scalar-zero", "zero for a scalar", with_scalar(0), EDDSA),
        (
            "scalar-negated",
            "the negative scalar",
            with_scalar(edwards.ORDER - scalar),
            EDDSA,
        ),
        (
            "commitment-negated",
            "the other sign of the first point",
            signature[:31] + bytes([signature[31] ^ 0x80]) + signature[32:],
            EDDSA,
        ),
        (
            "torsion",
            "one with a point of order two added, as one who has the key can make it",
            edwards.sign(ED_A.seed, message, shift=edwards.ORDER_TWO),
            COFACTOR,
        ),
        (
            "commitment-not-canonical",
            "the neutral point written as a number that is too large",
            (edwards.PRIME + 1).to_bytes(32, "little") + signature[32:],
            EDDSA,
        ),
        (
            "commitment-not-on-curve",
            "of a first half that is no point",
            not_on_curve() + signature[32:],
            EDDSA,
        ),
        (
            "prehashed",
            "one of Ed25519ph",
            edwards.sign(ED_A.seed, digest, domain=edwards.domain(1)),
            "RFC 8037, section 3.1: Ed25519, not Ed25519ph",
        ),
        (
            "context",
            "one of Ed25519ctx",
            edwards.sign(ED_A.seed, message, domain=edwards.domain(0, b"JWT")),
            "RFC 8037, section 3.1: Ed25519, not Ed25519ctx",
        ),
        ("of-digest", "one over the SHA-512 digest", ED_A.sign(digest), EDDSA),
        ("of-payload", "one over the payload only", ED_A.sign(as_bytes(claims())), EDDSA),
        (
            "of-payload-encoded",
            "one over the encoded payload only",
            ED_A.sign(signed.split(".")[1].encode()),
            "RFC 7515, section 5.2",
        ),
        (
            "of-decoded-parts",
            "one over the header and the payload as they are before base64url",
            ED_A.sign(as_bytes(ed_header()) + b"." + as_bytes(claims())),
            "RFC 7515, section 5.2",
        ),
    ]
    return [
        case(
            f"eddsa-signature-{name}",
            f"the signature is {about}",
            f"{signed}.{base64url(wrong)}",
            "token_signature",
            basis,
        )
        for name, about, wrong, basis in rows
    ]


def ed_header(kid: str = "ed-a") -> dict[str, object]:
    """The header of a token signed with Ed25519."""
    return header(alg="EdDSA", kid=kid)


def high(signature: bytes) -> bytes:
    """The signature with its highest bit set."""
    return signature[:63] + bytes([signature[63] | 0x80])


def not_on_curve() -> bytes:
    """The smallest y that no point has."""
    y = next(y for y in range(2, 100) if edwards.x_of(y) is None)
    return y.to_bytes(32, "little")
