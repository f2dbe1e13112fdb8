"""The steps of the cases in `web.json`."""

from collections.abc import Sequence

from .mint import Case

SITE = "https://example.com"
NOW = 1_750_000_000

DESK, PHONE, THIEF = "desk", "phone", "thief"
ALICE = "alice@example.com"

SECRET = "__Host-portier"
PROBE = "__Host-portier-probe"
SIGNED_IN = "__Host-portier-signed-in"

Step = dict[str, object]
Pairs = Sequence[Sequence[str | None]]

ANSWER = [["id_token", "{token}"], ["state", ""]]
"""The fields that the broker makes the browser post."""

AGAIN = ["portier_again", "1"]
ANY_CONFIRMATION = ["portier_confirmation", None]
POSTED_AGAIN = [*ANSWER, AGAIN]

FORM = "application/x-www-form-urlencoded"


def case(
    name: str,
    about: str,
    basis: str,
    steps: Sequence[Step],
    *,
    options: dict[str, object] | None = None,
) -> Case:
    """A case; `options` are the differences from the setting."""
    made: Case = {"id": name, "about": about, "basis": basis}
    if options:
        made["options"] = options
    return {**made, "steps": list(steps)}


def refused_options(name: str, about: str, basis: str, options: dict[str, object]) -> Case:
    """Options that are refused before any request."""
    expect = {"code": "invalid_option"}
    return {
        "id": name,
        "about": about,
        "basis": basis,
        "options": options,
        "steps": [],
        "expect": expect,
    }


def step(do: str, expect: dict[str, object], **more: object) -> Step:
    """A request, and the expected response."""
    given = {name.rstrip("_"): value for name, value in more.items() if value is not None}
    return {"do": do, **given, "expect": expect}


def started(**expect: object) -> dict[str, object]:
    """The redirect to the broker."""
    return {"status": 303, "to_broker": {}, "sets": [SECRET], **expect}


def login(
    email: str = ALICE,
    page: str | None = None,
    *,
    expect: dict[str, object] | None = None,
    **more: object,
) -> Step:
    """Posts the login form of the site."""
    form = [["email", email]] + ([] if page is None else [["next", page]])
    return step("login", started() if expect is None else expect, **{"form": form, **more})


def callback(expect: dict[str, object], form: Pairs = ANSWER, **more: object) -> Step:
    """Posts a callback, as the broker makes the browser do."""
    return step("callback", expect, **{"form": form, **more})


def again(form: Pairs = ANSWER, **expect: object) -> dict[str, object]:
    """The page that makes the browser post the same form again, with cookies."""
    answer = [pair for pair in form if pair[0] not in {"portier_again", "portier_confirmation"}]
    return {
        "status": 200,
        "shows": "post",
        "fields": [*answer, AGAIN],
        "sets": [PROBE],
        **expect,
    }


def resend(expect: dict[str, object], **more: object) -> Step:
    """Posts the hidden fields of the current page."""
    return step("resend", expect, **more)


def signed_in(location: str = "/", email: str = ALICE, **expect: object) -> dict[str, object]:
    """The completion of a login, in the browser that started it."""
    return {
        "status": 303,
        "location": location,
        "login": {"email": email, "same_browser": True},
        "sets": [SIGNED_IN],
        **expect,
    }


def elsewhere(location: str = "/", email: str = ALICE, **expect: object) -> dict[str, object]:
    """The completion of a login in another browser, after the person has confirmed."""
    return signed_in(location, email, login={"email": email, "same_browser": False}, **expect)


def asks(email: str = ALICE, **expect: object) -> dict[str, object]:
    """The page that asks whether to continue in this browser."""
    return {
        "status": 200,
        "shows": "confirmation",
        "says": [email],
        "fields": [*POSTED_AGAIN, ANY_CONFIRMATION],
        **expect,
    }


def problem(name: str, status: int, error: str, **expect: object) -> dict[str, object]:
    """The page about a problem."""
    return {"status": status, "problem": name, "error": error, **expect}


def used(**expect: object) -> dict[str, object]:
    """The page that says that the login was finished before."""
    return problem("used", 400, "session_used", **expect)


def leads_on(location: str = "/", **expect: object) -> dict[str, object]:
    """A silent redirect: this login has signed this browser in."""
    return {"status": 303, "location": location, **expect}


def whole_login(
    email: str = ALICE,
    page: str | None = None,
    *,
    browser: str = DESK,
    as_: str | None = None,
    expect: dict[str, object] | None = None,
) -> list[Step]:
    """A login from form to completion, in one browser."""
    landed = expect or signed_in(page or "/", email)
    return [
        login(email, page, browser=browser, as_=as_),
        callback(again(), browser=browser),
        resend(landed, browser=browser),
    ]


def asked_on(browser: str = PHONE, email: str = ALICE) -> list[Step]:
    """A browser that did not start the login is asked."""
    return [
        callback(again(), browser=browser),
        resend(asks(email, sets=[SECRET], secret="new"), browser=browser),
    ]
