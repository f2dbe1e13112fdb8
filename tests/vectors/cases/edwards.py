"""A handwritten Ed25519 (RFC 8032, section 5.1), for signatures that no library makes."""

import hashlib

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point."""

D = -121665 * pow(121666, -1, PRIME) % PRIME
ROOT = pow(2, (PRIME - 1) // 4, PRIME)

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)
ORDER_TWO: Point = (0, PRIME - 1)


def x_of(y: int) -> int | None:
    """The even x of the point with this y, if there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * ROOT % PRIME
    if (x * x - square) % PRIME:
        return None
    return x if x % 2 == 0 else PRIME - x


BASE_Y = 4 * pow(5, -1, PRIME) % PRIME
BASE: Point = (x_of(BASE_Y) or 0, BASE_Y)


def add(one: Point, other: Point) -> Point:
    """The sum of two points."""
    product = D * one[0] * other[0] * one[1] * other[1] % PRIME
    x = (one[0] * other[1] + other[0] * one[1]) * pow(1 + product, -1, PRIME)
    y = (one[1] * other[1] + one[0] * other[0]) * pow(1 - product, -1, PRIME)
    return x % PRIME, y % PRIME


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    total = NEUTRAL
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def encode(point: Point) -> bytes:
    """The encoding of a point (RFC 8032, section 5.1.2)."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def little(raw: bytes) -> int:
    """A number from its bytes."""
    return int.from_bytes(raw, "little")


def sign(seed: bytes, message: bytes, *, domain: bytes = b"", shift: Point = NEUTRAL) -> bytes:
    """A signature (RFC 8032, section 5.1.6). With a point of small order added to R, only verifiers
    that multiply by the cofactor accept it.
    """
    expanded = hashlib.sha512(seed).digest()
    secret = little(expanded[:32]) & ~7 & (1 << 254) - 1 | 1 << 254
    public = encode(times(secret, BASE))
    nonce = little(hashlib.sha512(domain + expanded[32:] + message).digest()) % ORDER
    commitment = encode(add(times(nonce, BASE), shift))
    challenge = little(hashlib.sha512(domain + commitment + public + message).digest()) % ORDER
    return commitment + ((nonce + challenge * secret) % ORDER).to_bytes(32, "little")


def domain(flag: int, context: bytes = b"") -> bytes:
    """The prefix of Ed25519ctx and Ed25519ph (RFC 8032, section 2, dom2)."""
    prefix = b"SigEd25519 no Ed25519 collisions"
    return prefix + bytes([flag, len(context)]) + context
