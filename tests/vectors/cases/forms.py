"""Forms at the redirect URI, and helpers for their cases."""

from .keys import ED_A
from .mint import EMAIL, Case, claims, sign

Value = str | dict[str, str]
Param = tuple[str, Value]
Params = tuple[Param, ...]

TOKEN = ("id_token", sign())
FORGED = ("id_token", sign(payload=claims(email="mallory@example.com"), signer=ED_A.sign))


def login(**changes: object) -> dict[str, object]:
    """The result of a valid callback."""
    return {"email": EMAIL, "state": None, "session": None, "same_browser": False, **changes}


def case(
    identifier: str,
    about: str,
    attempts: list[dict[str, object]],
    expect: list[str | dict[str, object]],
    basis: str,
    **start: str,
) -> Case:
    """One case; `start` has the options of the login besides its address."""
    outcomes = [{"code": one} if isinstance(one, str) else one for one in expect]
    assert len(outcomes) == len(attempts)
    return {
        "id": identifier,
        "about": about,
        "start": start,
        "attempts": attempts,
        "expect": outcomes,
        "basis": basis,
    }


def file(content: str) -> Value:
    """The value of a field that is an uploaded file."""
    return {"file": content}


def attempt(*params: Param, **browser: str) -> dict[str, object]:
    """A form at the redirect URI."""
    return {"params": [list(param) for param in params], **browser}


def once(
    identifier: str, about: str, params: Params, expect: str | dict[str, object], basis: str
) -> Case:
    """A case of one attempt."""
    return case(identifier, about, [attempt(*params)], [expect], basis)
