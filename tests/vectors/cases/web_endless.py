"""A login page that needs a login itself."""

from .mint import Case
from .web_sessions import require_login
from .web_steps import case

ENDLESS = "policy: a redirect that certainly leads back to the same page is an error of the site"


def endless() -> list[Case]:
    """Redirects of the guard to the page that it guards."""
    fails = {"status": 500, "fails": "invalid_option"}
    once = {"status": 303, "location": "https://example.com/members?next=%2Fmembers"}
    home: dict[str, object] = {"login_url": "/members"}
    rows: list[tuple[str, dict[str, object], str, str]] = [
        ("", home, "/members", "GET"),
        ("-for-head", home, "/members", "HEAD"),
        ("-with-the-page-of-another-request", home, "/members?next=%2Flist", "GET"),
        ("-of-a-query", {"login_url": "/members?in=1"}, "/members?in=1&next=%2Flist", "GET"),
        (
            "-below-a-stripped-prefix",
            {
                "redirect_uri": "https://example.com/app/verify",
                "callback_path": "/verify",
                "login_url": "/app/members",
            },
            "/members?next=%2Fapp%2Flist",
            "GET",
        ),
    ]
    sent_away: list[tuple[str, str, str, str, str]] = [
        ("of-another-query", "/members?in=1", "GET", "/members", "/members?in=1&next=%2Fmembers"),
        ("above-it", "/", "GET", "/members", "/?next=%2Fmembers"),
        ("after-a-form", "/members", "POST", "/members", "/members"),
        (
            "with-another-slash",
            "/members/",
            "GET",
            "/members",
            "/members/?next=%2Fmembers",
        ),
        (
            "on-another-host",
            "https://id.example.com/members",
            "GET",
            "/members?next=/members",
            "https://id.example.com/members?next="
            "https%3A%2F%2Fexample.com%2Fmembers%3Fnext%3D%2Fmembers",
        ),
    ]
    return [
        *[
            case(
                f"guard-of-the-login-page-fails{name}",
                "the redirect would lead to the same page, and so on",
                ENDLESS,
                [require_login(fails, page, method=method, from_="typed")],
                options=options,
            )
            for name, options, page, method in rows
        ],
        case(
            "guard-of-the-login-page-fails-after-a-redirect-to-its-whole-url",
            "which may be on another host; the page that comes back is not",
            ENDLESS,
            [
                require_login(once, from_="typed"),
                require_login(fails, "/members?next=%2Fmembers", from_="typed"),
            ],
            options={"login_url": "https://example.com/members"},
        ),
        case(
            "guard-of-the-login-page-fails-after-a-redirect-to-another-slash",
            "the server sends the browser on to the path without it",
            ENDLESS,
            [require_login(fails, "/members?next=%2Fmembers", from_="typed")],
            options={"login_url": "/members/"},
        ),
        case(
            "guard-of-the-login-page-answers-a-script",
            "it follows no redirect",
            ENDLESS,
            [require_login({"status": 401, "json": {"url": "/members"}}, from_="script")],
            options=home,
        ),
        *[
            case(
                f"guard-leads-on-to-a-login-page-{name}",
                "the page there may be another one",
                ENDLESS,
                [
                    require_login(
                        {"status": 303, "location": location}, page, method=method, from_="typed"
                    )
                ],
                options={"login_url": login_url},
            )
            for name, login_url, method, page, location in sent_away
        ],
    ]
