"""Users by their addresses."""

from __future__ import annotations

import functools
import hashlib
import operator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, router, transaction
from django.db.models import Q

from .. import InvalidEmail, normalize_email

__all__ = ["Ambiguous", "find", "find_or_create"]


class Ambiguous(Exception):
    """Several users have the same address."""


def find(email: str) -> Any:
    """Return the user with a verified address, or ``None``.

    Raises :class:`Ambiguous` if several users have it.
    """
    model = get_user_model()
    field = model.get_email_field_name()
    similar = [Q(**{f"{field}__iexact": spelling}) for spelling in _spellings(email)]
    users = model._default_manager.filter(functools.reduce(operator.or_, similar))
    # Databases also take different letters for the same, such as those with and without a dot.
    found = [user for user in users if _normalized(getattr(user, field)) == email]
    if len(found) > 1:
        raise Ambiguous(f"several users have the address field={field} users={len(found)}")
    return found[0] if found else None


def find_or_create(email: str) -> Any:
    """Return the user with a verified address; make one with an unusable password if there is none.

    Two first logins at the same time make one user, because its name is unique.
    """
    user = find(email)
    names = iter(_names(email))
    while user is None:
        name = next(names, None)
        if name is None:
            return None
        try:
            user = _create(email, name)
        except IntegrityError:
            # Another login was faster, or somebody else has the name.
            user = find(email)
    return user


def _create(email: str, name: str) -> Any:
    model: Any = get_user_model()
    manager = model._default_manager
    fields = {model.get_email_field_name(): email, model.USERNAME_FIELD: name}
    with transaction.atomic(using=router.db_for_write(model)):
        if hasattr(manager, "create_user"):
            return manager.create_user(**fields)
        user = model(**fields)
        user.set_unusable_password()
        user.save()
        return user


def _names(email: str) -> list[str]:
    """Names for a new user: the address, or another one if it is taken or too long."""
    model: Any = get_user_model()
    if model.get_email_field_name() == model.USERNAME_FIELD:
        return [email]
    names = [email, hashlib.sha256(email.encode()).hexdigest()[:30]]
    length = model._meta.get_field(model.USERNAME_FIELD).max_length
    return [name for name in names if length is None or len(name) <= length]


def _spellings(email: str) -> set[str]:
    """Return how other programs may have spelled an address; the case of ASCII letters is ignored.

    The domain may have letters of other scripts. Some databases ignore the case of ASCII alone.
    """
    local, _, domain = email.rpartition("@")
    locals_ = {local} if local.isascii() else {local, local.upper()}
    domains = {domain, ".".join(map(_letters, domain.split(".")))}
    return {f"{local}@{domain}" for local in locals_ for domain in domains}


def _letters(label: str) -> str:
    """Undo the encoding of a label of a domain."""
    try:
        return label[4:].encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


def _normalized(address: str) -> str | None:
    try:
        return normalize_email(address)
    except InvalidEmail:
        return None
