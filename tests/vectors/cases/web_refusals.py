"""Completed logins of people whom the site does not sign in."""

from .mint import Case
from .web_rules import CSRF, LANGUAGE, OFF, PROOF, SCRIPT, TEXT
from .web_scripts import as_json
from .web_steps import (
    ALICE,
    PHONE,
    Step,
    again,
    asked_on,
    callback,
    case,
    login,
    problem,
    resend,
    step,
    used,
)

REFUSED = "policy: a person whom the site refuses gets a page, and no cookie"
UNKNOWN = {"hook": {"refuses": "account_unknown"}}
LANGUAGES = ("en", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh")


def refused(
    code: str = "account_unknown", *, same_browser: bool = True, **expect: object
) -> dict[str, object]:
    """The page about an account that may not sign in."""
    who = {"email": ALICE, "same_browser": same_browser}
    return problem(code, 403, code, login=who, **expect)


def refusals() -> list[Case]:
    """What people see whom the hook of the site refuses."""
    made = [
        case(
            f"refusal-has-a-page-{code.replace('_', '-')}",
            "nobody is signed in, and no cookie is set",
            REFUSED,
            [
                login(page="/members"),
                callback(again()),
                resend(refused(code, says=[title]), hook={"refuses": code}),
                callback(again()),
                resend(used()),
            ],
        )
        for code, title in {
            "account_unknown": "No account with this address",
            "account_refused": "This account cannot be used",
        }.items()
    ]
    spoken: list[Step] = []
    for language in LANGUAGES:
        spoken += [
            login(),
            callback(again()),
            resend(refused(lang=language), headers={"accept-language": language}, **UNKNOWN),
        ]
    return [
        *made,
        case(
            "refusal-speaks-the-language-of-the-person",
            "each language that is built in",
            LANGUAGE,
            spoken,
            options={"languages": [*LANGUAGES]},
        ),
        case(
            "refusal-has-a-text-of-the-site",
            "by its id, like every text",
            TEXT,
            [
                login(),
                callback(again()),
                resend(refused(says=["Members only"]), **UNKNOWN),
            ],
            options={"texts": {"en": {"problem.account_unknown.title": "Members only"}}},
        ),
        case(
            "refusal-of-a-script-is-json",
            "a script is told the code",
            SCRIPT,
            [
                login(),
                step(
                    "callback",
                    as_json(refused()),
                    form=[["id_token", "{token}"]],
                    from_="script",
                    **UNKNOWN,
                ),
            ],
        ),
        case(
            "refusal-on-another-device-sets-no-cookie",
            "after the person has confirmed there",
            CSRF,
            [
                login(),
                *asked_on(),
                resend(refused(same_browser=False), browser=PHONE, **UNKNOWN),
                callback(again(), browser=PHONE),
                resend(used(), browser=PHONE),
            ],
        ),
        case(
            "refusal-without-binding",
            "the page is the same",
            PROOF,
            [
                login(expect={"status": 303, "to_broker": {}}),
                callback(
                    problem("account_unknown", 403, "account_unknown", login={"email": ALICE}),
                    **UNKNOWN,
                ),
            ],
            options=OFF,
        ),
    ]
