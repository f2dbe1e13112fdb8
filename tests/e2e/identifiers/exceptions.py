"""What the real broker accepts and this library refuses, each kind with its reason.

The tests fail if no kind covers a difference, and if a kind covers none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Unicode's Default_Ignorable_Code_Point.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def has_unseen(text: str) -> bool:
    """Whether one of its characters is invisible."""
    categories = {unicodedata.category(character) for character in text}
    unseen = categories & {"Cc", "Cf", "Zl", "Zp", "Zs"}
    return bool(unseen or IGNORABLE.search(text) or "\u2800" in text)


def has_second_at(text: str) -> bool:
    """Whether there is more than one @, counting its compatibility forms."""
    return "@" in unicodedata.normalize("NFKC", text.rpartition("@")[0])


def is_long(text: str) -> bool:
    """Whether the address is too long for mail, as typed or in its normal form."""
    local, _, domain = text.rpartition("@")
    return max(len(text.encode()), len(f"{local.lower()}@{domain}".encode())) > 254


def ends_in_a_number(text: str) -> bool:
    """Whether the URL parser reads the domain as an IPv4 address."""
    last = unicodedata.normalize("NFKC", text).lower().rpartition(".")[2]
    return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", last))


ADDRESSES: Mapping[str, Callable[[str], bool]] = {
    "a character that nobody sees makes an address that looks like another": has_unseen,
    "with a second @ an address can be read in two ways, also in quotes": has_second_at,
    "no mail can be sent to more than 254 bytes (RFC 3696, erratum 1690)": is_long,
    "Portier's normalization takes what the URL parser takes for a domain": ends_in_a_number,
}
REDIRECT_URIS: Mapping[str, Callable[[str], bool]] = {
    "a redirect URI has no fragment (RFC 6749, section 3.1.2)": lambda text: "#" in text,
    "the URL parser drops or changes white space and control characters": lambda text: any(
        character.isspace() or unicodedata.category(character) == "Cc" for character in text
    ),
    "the URL parser takes a backslash for a slash, others do not": lambda text: "\\" in text,
}
