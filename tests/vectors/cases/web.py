"""`web.json`: sequences of requests, and the answers of the login flow."""

from . import (
    web_again,
    web_attacks,
    web_code_faults,
    web_codes,
    web_cookies,
    web_elsewhere,
    web_endless,
    web_forms,
    web_health,
    web_htmx,
    web_prefixes,
    web_problems,
    web_refusals,
    web_repeats,
    web_requests,
    web_scripts,
    web_sessions,
    web_start,
    web_texts,
)
from .mint import Case, in_families
from .web_steps import NOW, PROBE, SECRET, SIGNED_IN, SITE

ABOUT = (
    "Each case makes a flow with its `options` on top of those of the setting, and takes its "
    "`steps` one after the other. web.md describes them. Written by generate.py."
)
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FLAGS = "Path=/; HttpOnly; SameSite=Lax"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "web: login forms": [web_start.forms, web_start.addresses],
        "web: pages to go back to": [web_start.pages],
        "web: where forms come from": [web_forms.provenance],
        "web: what is a form": [web_forms.shapes],
        "web: answers posted again": [web_again.posting_again],
        "web: other browsers": [web_elsewhere.elsewhere_cases],
        "web: browsers without cookies": [web_again.without_cookies],
        "web: repeats": [web_repeats.repeats],
        "web: login CSRF": [web_attacks.csrf],
        "web: stolen answers": [web_attacks.thieves],
        "web: cookies of others": [web_cookies.cookies, web_cookies.proofs],
        "web: texts of attackers": [web_attacks.texts_of_attackers],
        "web: methods": [web_requests.methods],
        "web: targets": [web_requests.targets],
        "web: scripts": [web_scripts.scripts, web_htmx.logins],
        "web: forms of another shape": [web_requests.other_forms],
        "web: policies of login pages": [web_requests.policies],
        "web: options": [web_requests.options],
        "web: problems": [web_problems.problems, web_problems.typed_again],
        "web: refused accounts": [web_refusals.refusals],
        "web: languages": [web_texts.languages],
        "web: replaced texts": [web_texts.texts_own],
        "web: health checks": [web_health.checks],
    }
    return {"about": ABOUT, **setting(), "cases": in_families(families)}


def codes() -> dict[str, object]:
    """The file with the code flow."""
    families = {
        "codes: answers": [web_codes.answers],
        "codes: repeats": [web_codes.repeats],
        "codes: visits": [web_codes.visits],
        "codes: queries": [web_code_faults.queries],
        "codes: other browsers": [web_codes.browsers],
        "codes: token endpoint": [web_code_faults.endpoint],
    }
    return {"about": ABOUT, **setting(flow="auto"), "cases": in_families(families)}


def sessions() -> dict[str, object]:
    """The file with the sessions of the flow."""
    families = {
        "sessions: begin and end": [web_sessions.sessions],
        "sessions: guarded pages": [web_sessions.guarded],
        "sessions: guarded login pages": [web_endless.endless],
        "sessions: signing out": [web_sessions.signing_out],
        "sessions: htmx": [web_htmx.guarded],
        "sessions: stripped prefixes": [web_prefixes.prefixes],
    }
    given = setting(flow="auto", **web_sessions.OPTIONS)
    return {"about": ABOUT, **given, "cases": in_families(families)}


def setting(**options: object) -> dict[str, object]:
    """The setting of all cases."""
    navigates = {"sec-fetch-mode": "navigate", "accept": ACCEPT}
    here = {"origin": "{site}", "sec-fetch-site": "same-origin"}
    there = {"origin": "null", "sec-fetch-site": "cross-site"}
    return {
        "now": NOW,
        "options": {"redirect_uri": f"{SITE}/verify", **options},
        "from": {
            "site": source({**here, **navigates}),
            "broker": source({**there, **navigates}, lax=False),
            "elsewhere": source(
                {**there, "origin": "https://evil.example", **navigates}, lax=False
            ),
            "link": source({"sec-fetch-site": "cross-site", **navigates}),
            "old": source({"origin": "{site}", "accept": ACCEPT}),
            "old broker": source({"origin": "null", "accept": ACCEPT}, lax=False),
            "typed": source({"sec-fetch-site": "none", **navigates}),
            "script": source({**here, "sec-fetch-mode": "cors", "accept": "*/*"}),
        },
        "cookies": cookies(),
        "headers": {
            "every": {
                "cache-control": "no-store, no-transform",
                "referrer-policy": "no-referrer",
                "x-content-type-options": "nosniff",
            },
            "page": {"content-type": "text/html; charset=utf-8", "x-frame-options": "DENY"},
            "json": {"content-type": "application/json"},
            "problem": {"content-type": "application/problem+json"},
        },
        "tokens": tokens(),
    }


def source(headers: dict[str, str], *, lax: bool = True) -> dict[str, object]:
    """The origin of a request: its headers, and whether `Lax` cookies are sent."""
    return {"headers": headers, "lax_cookies": lax}


def cookies() -> dict[str, str]:
    """The flags of each cookie."""
    seconds = {SECRET: 86400, PROBE: 600, SIGNED_IN: 600, web_sessions.SESSION: 1_209_600}
    made = {name: f"Max-Age={age}; {FLAGS}; Secure" for name, age in seconds.items()}
    plain = {
        name.removeprefix("__Host-"): f"Max-Age={age}; {FLAGS}" for name, age in seconds.items()
    }
    return {**made, **plain}


def tokens() -> dict[str, Case]:
    """Kinds of tokens: the changes of a valid one; `times` are seconds from now."""
    addresses = {
        f"address-{name}": {"claims": {"email": email}}
        for name, email in web_attacks.ADDRESSES.items()
    }
    return {
        "genuine": {},
        "unknown": {"nonce": "A" * 32},
        "expired": {"times": {"iat": -1000, "exp": -400}},
        "early": {"times": {"iat": -500, "exp": 100}},
        "future": {"times": {"iat": 500, "exp": 1100}},
        "audience": {"claims": {"aud": "https://other.example"}},
        "issuer": {"claims": {"iss": "https://other.example"}},
        "stranger": {"key": "stranger"},
        "none": {"header": {"alg": "none"}},
        "mallory": {"email": "mallory@example.com"},
        "normalized": {
            "claims": {"email": "alice@example.com", "email_original": "a.lice@example.com"}
        },
        **addresses,
    }
