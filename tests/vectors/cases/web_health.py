"""Health checks: the answer for load balancers and monitoring systems."""

from .mint import Case
from .web_rules import RETRY
from .web_steps import Step, case, login, problem, step

RULE = "policy: a health check waits for nobody, and tells what this process knows"
ONCE = "policy: a process is unavailable only until it had the documents of the broker once"
PASS: dict[str, object] = {"status": "pass"}
DOWN: dict[str, object] = {"status": 503, "problem": "broker_unavailable", "error": None, **RETRY}
STORE: dict[str, object] = {"status": "warn", "code": "store_failed"}


def health(expect: dict[str, object], **more: object) -> Step:
    """Sends a health check."""
    return step("health", expect, **{"method": "GET", **more})


def passes(**changes: object) -> dict[str, object]:
    """The answer of a process that knows of no fault, except for `changes`."""
    checks = {"clock": PASS, "discovery": PASS, "keys": PASS, "store": PASS, **changes}
    return {"status": 200, "json": {"status": "warn" if changes else "pass", "checks": checks}}


def checks() -> list[Case]:
    """The answers, by what happened before."""
    return [
        case(
            "health-of-a-fresh-process",
            "nothing is wrong as far as it knows; a cookie does not matter",
            RULE,
            [health(passes()), login(), health(passes())],
        ),
        case(
            "health-takes-get-and-head-only",
            "nobody posts to it, and nothing is counted as a failed login",
            RULE,
            [health({"status": 405, "headers": {"allow": "GET, HEAD"}}, method="POST", form=[])],
        ),
        case(
            "health-for-scripts-and-browsers-is-the-same",
            "whatever they accept, and wherever they come from",
            RULE,
            [health(passes(), from_=source) for source in ("script", "elsewhere", "typed", "old")],
        ),
        case(
            "health-without-a-broker",
            "the process has never been able to serve a login",
            ONCE,
            [
                login(expect=DOWN),
                health({"status": 503, "json": {"status": "fail"}}),
            ],
            options={"broker": "down"},
        ),
        case(
            "health-while-the-store-is-down",
            "other processes have the same store, so this one stays in service",
            ONCE,
            [
                login(),
                login(expect=problem("not_possible", 503, "store_failed", **RETRY), store="down"),
                health(passes(store=STORE)),
                login(),
                health(passes()),
            ],
        ),
    ]
