"""The mails of the broker."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path


@dataclass(frozen=True)
class Mail:
    """A mail with the code and the link."""

    subject: str
    link: str
    code: str


class Mailbox:
    """All mails, in a directory that only the broker writes to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def take(self, address: str, session: str = "") -> Mail:
        """The only unread mail to an address.

        With `session`, the mail for that session of the broker, among others.

        The broker writes the mail before it answers the request, so no wait is needed.
        """
        found = []
        for file in self.directory.glob("*.eml"):
            # Headers are UTF-8 (RFC 6532), which the parser for bytes does not accept.
            text = file.read_text(encoding="utf-8")
            message = email.message_from_string(text, policy=email.policy.default)
            if message["To"].addresses[0].addr_spec == address:
                found.append((file, _read(message)))
        found = [(file, mail) for file, mail in found if session in mail.link]
        assert len(found) == 1, f"there are {len(found)} new mails, not one"
        file, mail = found[0]
        file.unlink()
        return mail


def _read(message: EmailMessage) -> Mail:
    body = message.get_body(("plain",))
    assert body is not None
    lines = body.get_content().splitlines()
    (link,) = [line for line in lines if re.fullmatch(r"http\S+/confirm\?\S+", line)]
    (code,) = [line for line in lines if re.fullmatch(r"[a-z0-9]{6} [a-z0-9]{6}", line)]
    return Mail(message["Subject"], link, code)
