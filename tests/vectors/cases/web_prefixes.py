"""Sites below a prefix that a proxy strips from the paths."""

from .mint import Case
from .web_codes import completed, visit
from .web_rules import OPTIONS
from .web_sessions import SESSION, logout, require_login
from .web_steps import SIGNED_IN, case, login, problem

PREFIX = "policy: what precedes the path of the callback in the redirect URI is the prefix"
BELOW: dict[str, object] = {
    "redirect_uri": "https://example.com/app/portier/callback",
    "callback_path": "/portier/callback",
    "login_url": None,
}


def prefixes() -> list[Case]:
    """The addresses that the flow makes itself."""
    home = {"status": 303, "location": "/app/"}
    rows: list[tuple[str, str, dict[str, object], str]] = [
        ("a-stripped-prefix", "the default is below the prefix", BELOW, "/app/"),
        (
            "a-stripped-prefix-unless-it-is-set",
            "an address of the site is one that browsers see",
            {**BELOW, "default_next": "/"},
            "/",
        ),
        (
            "a-prefix-that-the-site-sees",
            "without a callback_path there is none",
            {"redirect_uri": "https://example.com/app/verify"},
            "/",
        ),
        (
            "another-path-inside",
            "the redirect URI does not end with the path of the callback",
            {"callback_path": "/inside/verify"},
            "/",
        ),
        (
            "the-same-path-inside",
            "nothing is stripped",
            {"callback_path": "/verify"},
            "/",
        ),
        (
            "a-prefix-that-would-be-another-host",
            "a redirect to two slashes leads to another host",
            {
                "redirect_uri": "https://example.com//evil.example/verify",
                "callback_path": "/verify",
            },
            "/",
        ),
    ]
    return [
        *[
            case(
                f"login-leads-home-below-{name}",
                about,
                PREFIX,
                [login(), visit(completed(location=to, sets=[SIGNED_IN, SESSION]))],
                options=options,
            )
            for name, about, options, to in rows
        ],
        case(
            "login-page-is-below-a-stripped-prefix",
            "for the guard, for signing out, and for problems",
            PREFIX,
            [
                require_login(
                    {"status": 303, "location": "/app/?next=%2Fapp%2Fmembers"}, from_="typed"
                ),
                logout({**home, "clears": [SESSION, SIGNED_IN]}),
                login(),
                visit(
                    problem("cancelled", 403, "broker_error", says=['href="/app/"']),
                    "error=access_denied",
                ),
            ],
            options=BELOW,
        ),
        case(
            "login-page-is-where-the-site-says-it-is",
            "also outside of the prefix",
            OPTIONS,
            [require_login({"status": 303, "location": "/?next=%2Fapp%2Fmembers"}, from_="typed")],
            options={**BELOW, "login_url": "/"},
        ),
        case(
            "guard-returns-htmx-to-a-page-below-a-stripped-prefix",
            "whose URL has the prefix already",
            PREFIX,
            [
                require_login(
                    {
                        "status": 401,
                        "json": {"url": "/app/?next=%2Fapp%2Flist"},
                        "headers": {"hx-redirect": "/app/?next=%2Fapp%2Flist"},
                    },
                    from_="script",
                    headers={"hx-request": "true", "hx-current-url": "{site}/app/list"},
                )
            ],
            options=BELOW,
        ),
    ]
