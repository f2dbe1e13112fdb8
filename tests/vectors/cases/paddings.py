"""RSA signatures over messages that are encoded wrongly (RFC 8017, section 9.2)."""

import hashlib
from itertools import count

from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA3_256, SHA224, SHA384, SHA512

from .keys import RSA_A, base64url
from .mint import Case, as_bytes, case, claims, header, sign

ENCODING = "RFC 8017, sections 8.2.2 and 9.2"
LAX = {
    "parameters": "CVE-2018-16152; CVE-2022-24771",
    "trailing": "CVE-2006-4339; CVE-2022-24772",
    "length": "CVE-2014-1568",
    "padding": "CVE-2016-1494",
}

DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""The prefix of a SHA-256 digest in PKCS #1 v1.5 (RFC 8017, section 9.2, note 1)."""

SHA256_OID = bytes.fromhex("0609608648016503040201")
ABC = b"\xab" * 16


def cases() -> list[Case]:
    """All cases of this file."""
    signed = sign().rpartition(".")[0]
    rows = [*encodings(signed), *messages(signed)]
    made = [
        case(
            f"rs256-signature-{name}",
            f"the signature is {about}",
            f"{signed}.{base64url(wrong)}",
            "token_signature",
            basis,
        )
        for name, about, wrong, basis in rows
    ]
    return made + forgeries()


def encodings(signed: str) -> list[tuple[str, str, bytes, str]]:
    """Encodings that a lenient parser accepts, and a comparison refuses."""
    digest = hashlib.sha256(signed.encode()).digest()
    good = DIGEST_INFO + digest
    assert RSA_A.sign_encoded(framed(good)) == RSA_A.sign(signed.encode())

    def of(algorithm: bytes, hashed: bytes = b"\x04\x20" + digest) -> bytes:
        inner = tagged(0x30, algorithm) + hashed
        return framed(tagged(0x30, inner))

    usual = SHA256_OID + b"\x05\x00"
    rows = [
        ("no-null", "one without the NULL parameter", of(SHA256_OID), "parameters"),
        (
            "parameters-bytes",
            "one with sixteen bytes for a parameter",
            of(SHA256_OID + tagged(4, ABC)),
            "parameters",
        ),
        (
            "null-with-content",
            "one with a NULL that is not",
            of(usual[:-1] + b"\2ab"),
            "parameters",
        ),
        (
            "parameters-after-null",
            "one with something after the NULL",
            of(usual + tagged(4, ABC)),
            "parameters",
        ),
        (
            "long-length",
            "one whose outer length takes a byte more",
            framed(b"\x30\x81" + good[1:]),
            "length",
        ),
        (
            "longer-length",
            "one whose outer length takes four bytes more",
            framed(b"\x30\x84\0\0\0" + good[1:]),
            "length",
        ),
        (
            "long-digest-length",
            "one whose digest's length takes a byte more",
            of(usual, b"\x04\x81\x20" + digest),
            "length",
        ),
        (
            "indefinite-length",
            "one of indefinite length",
            framed(b"\x30\x80" + good[2:] + b"\0\0"),
            "length",
        ),
        (
            "trailing-inside",
            "one with rubbish after the digest",
            of(usual, b"\x04\x20" + digest + ABC),
            "trailing",
        ),
        ("trailing-outside", "one with rubbish behind", framed(good + ABC), "trailing"),
        ("trailing-zeros", "one with zeros behind", framed(good + bytes(16)), "trailing"),
        ("short-padding", "padded too little, with rubbish behind", short(good), "trailing"),
        ("no-padding", "not padded, with rubbish behind", short(good, 0), "trailing"),
        ("padding-not-ones", "padded with other bytes", framed(good, filler=b"\xfe"), "padding"),
        ("padding-zeros", "padded with zeros", framed(good, filler=b"\0"), "padding"),
        ("block-type-zero", "padded as type 0", framed(good, kind=0, filler=b"\0"), "padding"),
        ("block-type-2", "padded as for encryption", framed(good, kind=2), "padding"),
        (
            "no-separator",
            "one without a zero before the digest",
            framed(b"\xff" + good, zero=b""),
            "padding",
        ),
        ("first-byte", "one that begins with 1", b"\1" + framed(good)[1:], "padding"),
        ("padding-last-byte", "one whose last byte of padding is wrong", spoilt(good), "padding"),
        ("no-digest-info", "one over the bare digest", framed(digest), ""),
        ("digest-cut", "one over half of the digest", framed(DIGEST_INFO + digest[:16]), ""),
        (
            "digest-cut-length",
            "one over half of the digest, with its length",
            of(usual, b"\x04\x10" + digest[:16]),
            "",
        ),
        ("digest-empty", "one over no digest", of(usual, b"\x04\0"), ""),
        ("digest-absent", "one over an algorithm only", of(usual, b""), ""),
        (
            "sha-1-name",
            "one with the name of SHA-1 before the digest",
            of(bytes.fromhex("06052b0e03021a0500")),
            "",
        ),
        (
            "sha-512-256-name",
            "one with the name of SHA-512/256 before the digest",
            of(bytes.fromhex("0609608648016503040206") + b"\5\0"),
            "",
        ),
        (
            "rsa-name",
            "one with the name of sha256WithRSAEncryption before the digest",
            of(bytes.fromhex("06092a864886f70d01010b0500")),
            "",
        ),
    ]
    return [
        (name, about, RSA_A.sign_encoded(encoded), f"{ENCODING}; {LAX[kind]}" if kind else ENCODING)
        for name, about, encoded, kind in rows
    ]


def messages(signed: str) -> list[tuple[str, str, bytes, str]]:
    """Valid signatures over another text, or in another encoding."""
    message = signed.encode()
    head, payload = signed.split(".")
    digest = hashlib.sha256(message).digest()
    good = RSA_A.sign(message)
    others = {"md5": MD5(), "sha-1": SHA1(), "sha-224": SHA224(), "sha-384": SHA384()}
    others |= {"sha-512": SHA512(), "sha3-256": SHA3_256()}
    input_basis = "RFC 7515, section 5.2"
    return [
        *(
            (name, f"one over the {name.upper()} digest", RSA_A.sign(message, other), ENCODING)
            for name, other in others.items()
        ),
        ("digest-twice", "one over the digest of the digest", RSA_A.sign(digest), ENCODING),
        (
            "of-digest-text",
            "one over the digest in hexadecimal",
            RSA_A.sign(digest.hex().encode()),
            ENCODING,
        ),
        ("of-payload", "one over the payload only", RSA_A.sign(as_bytes(claims())), input_basis),
        (
            "of-payload-encoded",
            "one over the encoded payload only",
            RSA_A.sign(payload.encode()),
            input_basis,
        ),
        ("of-header", "one over the header only", RSA_A.sign(head.encode()), input_basis),
        (
            "without-dot",
            "one over both parts without the dot",
            RSA_A.sign((head + payload).encode()),
            input_basis,
        ),
        (
            "of-decoded-parts",
            "one over the parts as they are before base64url",
            RSA_A.sign(as_bytes(header()) + b"." + as_bytes(claims())),
            input_basis,
        ),
        ("little-endian", "back to front", good[::-1], ENCODING),
        ("hexadecimal", "in hexadecimal", good.hex().encode(), ENCODING),
        ("encoded-twice", "encoded twice", base64url(good).encode(), input_basis),
        ("der", "a bit string in DER", b"\x03\x82\x01\x01\0" + good, ENCODING),
        ("pss", "RSASSA-PSS", RSA_A.sign_pss(message), ENCODING),
        ("pss-salt", "RSASSA-PSS with a salt", RSA_A.sign_encoded(pss(message)), ENCODING),
    ]


def tagged(tag: int, content: bytes) -> bytes:
    """A value in DER, of less than 128 bytes."""
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def framed(message: bytes, kind: int = 1, filler: bytes = b"\xff", zero: bytes = b"\0") -> bytes:
    """A message with as much padding as it takes."""
    padding = filler * (RSA_A.size - 2 - len(zero) - len(message))
    return bytes([0, kind]) + padding + zero + message


def short(message: bytes, padding: int = 8) -> bytes:
    """A message with little padding, followed by zeros."""
    return (b"\0\1" + b"\xff" * padding + b"\0" + message).ljust(RSA_A.size, b"\0")


def spoilt(message: bytes) -> bytes:
    """A message with the right padding except for its last byte."""
    encoded = framed(message)
    place = encoded.index(b"\xff\0", 2)
    return encoded[:place] + b"\xfe" + encoded[place + 1 :]


def pss(message: bytes) -> bytes:
    """EMSA-PSS (RFC 8017, section 9.1.1) with a salt of thirty-two known bytes."""
    salt = bytes(range(32))
    hashed = hashlib.sha256(bytes(8) + hashlib.sha256(message).digest() + salt).digest()
    block = b"\1" + salt
    block = block.rjust(RSA_A.size - 33, b"\0")
    blocks = (hashlib.sha256(hashed + number.to_bytes(4, "big")).digest() for number in range(8))
    mask = b"".join(blocks)[: len(block)]
    masked = bytes(one ^ other for one, other in zip(block, mask, strict=True))
    return bytes([masked[0] & 0x7F]) + masked[1:] + hashed + b"\xbc"


def forgeries() -> list[Case]:
    """Forged without the private key, for a public key whose exponent is three."""
    return [
        case(
            "rs256-exponent-three",
            "forged for the exponent three, by a cube root with rubbish at the end",
            sign(header(kid="rsa-e3"), signer=rubbish_behind),
            "token_signature",
            LAX["trailing"],
        ),
        case(
            "rs256-exponent-three-padding",
            "forged for the exponent three, with rubbish for padding",
            rubbish_between(),
            "token_signature",
            f"{LAX['padding']}; {LAX['length']}",
        ),
        case(
            "rs256-exponent-three-no-reduction",
            "the cube root of a number smaller than the modulus, for a digest of nothing",
            sign(header(kid="rsa-e3"), signer=lambda _: (2**680).to_bytes(256, "big")),
            "token_signature",
            ENCODING,
        ),
    ]


def rubbish_behind(message: bytes) -> bytes:
    """A number whose cube begins like a padded digest of the message."""
    start = b"\0\1" + b"\xff" * 8 + b"\0" + DIGEST_INFO + hashlib.sha256(message).digest()
    root = cube_root(int.from_bytes(start.ljust(256, b"\0"), "big"))
    assert (root**3).to_bytes(256, "big").startswith(start)
    return root.to_bytes(256, "big")


def rubbish_between() -> str:
    """A token with a number for a signature whose cube begins like a padding and ends like a padded
    digest."""
    head = base64url(as_bytes(header(kid="rsa-e3")))
    for number in count():
        payload = base64url(as_bytes(claims(attempt=number)))
        message = f"{head}.{payload}"
        end = b"\0" + DIGEST_INFO + hashlib.sha256(message.encode()).digest()
        # Only an odd number has a cube root among the numbers that end like it.
        if not end[-1] & 1:
            continue
        bits = len(end) * 8
        low = cube_root_of_end(int.from_bytes(end, "big"), bits)
        high = cube_root(int.from_bytes((b"\0\1" + b"\xff" * 8).ljust(256, b"\x55"), "big"))
        root = (high >> bits << bits) + (1 << bits) + low
        cube = (root**3).to_bytes(256, "big")
        assert cube.startswith(b"\0\1\xff\xff")
        assert cube.endswith(end)
        if b"\0" not in cube[2 : -len(end)]:
            return f"{message}.{base64url(root.to_bytes(256, 'big'))}"
    raise AssertionError


def cube_root(number: int) -> int:
    """The smallest number whose cube is not below this one."""
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**3 >= number else (middle + 1, high)
    return low


def cube_root_of_end(end: int, bits: int) -> int:
    """The number whose cube ends in these bits; they are odd, so there is one."""
    root = 1
    for bit in range(1, bits):
        if (root**3 ^ end) >> bit & 1:
            root |= 1 << bit
    return root
