"""Answers of the broker that complete no login of the code flow."""

from .mint import Case
from .web_codes import ANSWER, ASKED_AGAIN, CODE_FLOW, MODES, completed, visit
from .web_rules import PROBLEM
from .web_steps import case, login, problem

TOKEN = "OpenID Connect Core, section 3.1.3"
ERRORS = "RFC 6749, section 5.2"


def refused(name: str, status: int, error: str, **expect: object) -> dict[str, object]:
    """A problem, after the code was sent to the broker."""
    return problem(name, status, error, **{"token_requests": 1, **expect})


def queries() -> list[Case]:
    """Queries that complete nothing, and use nothing up."""
    malformed = problem("not_confirmed", 400, "token_malformed")
    missing = problem("not_confirmed", 400, "missing_token")
    visited = problem("post_only", 405, "request_method")
    unknown = problem("over", 400, "session_unknown")
    cancelled = problem("cancelled", 403, "broker_error")
    state = "state={state}"
    kinds = {
        "with-two-codes": (f"{ANSWER}&code=a", malformed),
        "with-one-code-twice": (f"{ANSWER}&code={{code}}", malformed),
        "with-two-states": (f"{ANSWER}&state=a", malformed),
        "without-a-state": ("code={code}", missing),
        "with-an-empty-state": ("code={code}&state=", missing),
        "without-a-code": (state, missing),
        "with-an-empty-code": (f"code=&{state}", missing),
        "with-another-state": ("code={code}&state={repeat:A:54}", unknown),
        "with-a-state-that-is-not-utf-8": ("code={code}&state=%FF", unknown),
        "with-a-state-too-long": ("code={code}&state={repeat:a:5000}", malformed),
        "with-a-token": ("id_token={token}&state=", visited),
        "with-a-token-and-a-code": (f"id_token={{token}}&{ANSWER}", visited),
        "with-an-error": (f"error=access_denied&{state}", cancelled),
        "with-an-error-and-a-code": (f"error=access_denied&{ANSWER}", cancelled),
        "with-an-error-of-the-broker": (
            f"error=server_error&{state}&error_description=%3Cb%3E",
            problem("not_confirmed", 400, "broker_error", lacks=["<b>"]),
        ),
        "too-large": (
            "code={repeat:a:70000}",
            problem("too_large", 413, "request_too_large"),
        ),
    }
    return [
        case(
            f"query-{name}",
            "the login stays pending, and the code unredeemed",
            MODES if "token" in name else CODE_FLOW,
            [login(), visit(expect, query), visit(completed())],
        )
        for name, (query, expect) in kinds.items()
    ]


def endpoint() -> list[Case]:
    """What the broker answers to the token request."""
    unavailable = {"headers": {"retry-after": "30"}}
    kinds: dict[str, tuple[list[object], dict[str, object]]] = {
        "is-down": ([503, {}], refused("broker_unavailable", 503, "broker_status", **unavailable)),
        "is-busy": ([429, {}], refused("broker_unavailable", 503, "broker_status", **unavailable)),
        "says-nothing": (
            [200, {}],
            refused("broker_unavailable", 503, "broker_document", **unavailable),
        ),
        "refuses-the-code": (
            [400, {"error": "invalid_grant"}],
            refused("over", 400, "code_refused"),
        ),
        **{
            f"answers-{error.replace('_', '-')}": (
                [status, {"error": error, "error_description": "<b>"}],
                refused("not_confirmed", 400, "broker_error", lacks=["<b>"]),
            )
            for status, error in [
                (400, "invalid_request"),
                (401, "invalid_client"),
                (400, "unauthorized_client"),
                (400, "unsupported_grant_type"),
                (400, "invalid_scope"),
            ]
        },
        **{
            f"answers-with-a-token-{kind}": (
                [200, {"id_token": f"{{token:{kind}}}"}],
                refused("over" if error == "token_expired" else "not_confirmed", 400, error),
            )
            for kind, error in [
                ("audience", "token_audience"),
                ("issuer", "token_issuer"),
                ("stranger", "token_key_unknown"),
                ("none", "token_algorithm"),
                ("unknown", "token_claim"),
                ("expired", "token_expired"),
            ]
        },
    }
    return [
        case(
            f"token-endpoint-{name}",
            "one request is made, and the login stays pending",
            ERRORS if "answers-i" in name or "answers-u" in name else TOKEN,
            # Only the broker knows whether another process has completed a sealed login, so the
            # browser repeats a request whose code is refused. This is the second one.
            [login(), visit(expect, ASKED_AGAIN, token_endpoint=answer), visit(completed())],
        )
        for name, (answer, expect) in kinds.items()
    ] + [
        case(
            "store-down-at-the-callback-of-a-code",
            "the broker is not asked, and the login stays pending",
            PROBLEM,
            [
                login(),
                visit(
                    problem("not_possible", 503, "store_failed", headers={"retry-after": "30"}),
                    store="down",
                ),
                visit(completed()),
            ],
        ),
    ]
