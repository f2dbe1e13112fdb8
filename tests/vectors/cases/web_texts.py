"""The languages of the pages, and texts of the site's own."""

from .mint import Case
from .web_rules import (
    DENIED,
    LANGUAGE,
    TEXT,
)
from .web_scripts import as_json
from .web_steps import (
    ALICE,
    PHONE,
    SECRET,
    again,
    asks,
    callback,
    case,
    login,
    problem,
    resend,
    step,
)


def languages() -> list[Case]:
    """The language of a page: the reader's preferred one among those of the site."""
    speaks: dict[str, object] = {"languages": ["en", "de", "fr"]}
    rows: list[tuple[str, dict[str, object], str | None, str]] = [
        ("default", {}, "de", "en"),
        ("none-asked-for", speaks, None, "en"),
        ("one", speaks, "de", "de"),
        ("region", speaks, "de-AT", "de"),
        ("capitals", speaks, "DE-at", "de"),
        ("order", speaks, "ja, fr, de", "fr"),
        ("weights", speaks, "fr;q=0.3, de;q=0.8, en;q=0.1", "de"),
        ("spaces", speaks, "fr ; q=0.3 ,de ; q=0.8", "de"),
        ("refused", speaks, "de;q=0, fr;q=0.1", "fr"),
        ("unknown", speaks, "ja", "en"),
        ("anything", speaks, "*", "en"),
        ("junk", speaks, ";;q=,,-;q=x", "en"),
        ("first-is-default", {"languages": ["fr", "en"]}, "ja", "fr"),
        ("alone", {"languages": ["de"]}, "en", "de"),
        ("variant-of-the-site", {"languages": ["en", "pt-BR"]}, "pt", "pt-BR"),
        ("other-variant", {"languages": ["en", "pt-BR"]}, "pt-PT", "pt-BR"),
        ("script", {"languages": ["en", "zh"]}, "zh-Hans-CN", "zh"),
        ("long", speaks, "{repeat:x-:400}, de", "de"),
        ("letters", speaks, "d\u00e9, fr", "fr"),
        ("like-another", speaks, "den, fr", "fr"),
        ("twice", speaks, "fr;q=0.2, en;q=0.5, fr;q=0.9", "fr"),
    ]
    made: list[Case] = []
    for name, options, accept, lang in rows:
        headers = {"accept-language": accept}
        bad = problem("invalid_email", 400, "invalid_email", lang=lang)
        made.append(
            case(
                f"language-{name}",
                "the page says which it is in",
                LANGUAGE,
                [login("nobody", headers=headers, expect=bad)],
                options=options,
            )
        )
    for lang in ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh"]:
        headers = {"accept-language": lang}
        says: dict[str, object] = {"lang": lang}
        made.append(
            case(
                f"language-of-every-page-{lang.lower()}",
                "all pages of a login are in one language",
                LANGUAGE,
                [
                    login(headers=headers),
                    callback(again(**says), browser=PHONE, headers=headers),
                    resend(asks(sets=[SECRET], **says), browser=PHONE, headers=headers),
                    callback(
                        problem("cancelled", 403, "broker_error", **says),
                        DENIED,
                        headers=headers,
                        from_="site",
                    ),
                    step(
                        "callback",
                        problem("post_only", 405, "request_method", **says),
                        method="GET",
                        headers=headers,
                        from_="typed",
                    ),
                ],
                options={"languages": [lang]},
            )
        )
    return made


PROBLEMS = [
    "invalid_email",
    "other_browser",
    "used",
    "over",
    "not_confirmed",
    "cancelled",
    "broker_unavailable",
    "not_possible",
    "clocks_differ",
    "internal",
    "other_site",
    "not_a_form",
    "too_large",
    "post_only",
    "cookies_needed",
    "not_signed_in",
    "account_unknown",
    "account_refused",
]
IDS = [
    "page.start_again",
    *[f"confirm.{name}" for name in ("title", "heading", "text", "yes", "no")],
    *[f"post.{name}" for name in ("title", "heading", "text", "button")],
    *[f"fragment.{name}" for name in ("title", "noscript", "empty")],
    *[f"problem.{name}.{part}" for name in PROBLEMS for part in ("title", "text")],
]
"""All texts of the pages."""


def texts_own() -> list[Case]:
    """Texts of the site."""
    title, text = "problem.cancelled.title", "problem.cancelled.text"
    cancelled = problem("cancelled", 403, "broker_error")
    odd = "<b>Never</b> \"mind\" & 'so'"
    swedish = {name: f"<{name}>" for name in IDS} | {"confirm.heading": "<{email}>"}
    question = {
        "confirm.title": "Here?",
        "confirm.heading": "Are you {email}?",
        "confirm.text": "Sure?",
        "confirm.yes": "Yes",
        "confirm.no": "No",
        "post.title": "A moment",
        "post.heading": "Nearly there",
        "post.text": "Press it",
        "post.button": "On",
    }
    return [
        case(
            "text-of-a-problem-may-be-replaced",
            "one text, and the others stay",
            TEXT,
            [callback({**cancelled, "says": ["Never mind"]}, DENIED, from_="old")],
            options={"texts": {"en": {title: "Never mind"}}, "browser_binding": "off"},
        ),
        case(
            "text-of-a-problem-may-be-replaced-for-scripts",
            "title and detail are the same texts",
            TEXT,
            [
                callback(
                    {
                        **as_json(cancelled),
                        "json": {"title": "Never mind", "detail": "So be it."},
                    },
                    DENIED,
                    from_="script",
                )
            ],
            options={
                "texts": {"en": {title: "Never mind", text: "So be it."}},
                "browser_binding": "off",
            },
        ),
        case(
            "text-with-markup-is-text",
            "what replaces a text is escaped as well",
            TEXT,
            [callback({**cancelled, "says": [odd], "lacks": ["<b>"]}, DENIED, from_="old")],
            options={"texts": {"en": {text: odd}}, "browser_binding": "off"},
        ),
        case(
            "texts-of-the-pages-between-may-be-replaced",
            "those of the page that posts again, and of the question",
            TEXT,
            [
                login(),
                callback(again(says=["A moment", "Nearly there", "Press it", "On"]), browser=PHONE),
                resend(
                    asks(sets=[SECRET], says=["Here?", "Are you ", ALICE, "Sure?", "Yes", "No"]),
                    browser=PHONE,
                ),
            ],
            options={"texts": {"en": question}},
        ),
        case(
            "texts-of-a-language-that-is-not-built-in",
            "a site may speak any language, if it says everything in it",
            TEXT,
            [
                login(),
                callback(again(lang="sv", says=["<post.title>"]), browser=PHONE),
                resend(
                    asks(sets=[SECRET], lang="sv", says=["<confirm.yes>", ALICE]), browser=PHONE
                ),
                callback(
                    {**cancelled, "lang": "sv", "says": ["<page.start_again>", f"<{title}>"]},
                    DENIED,
                    from_="site",
                ),
            ],
            options={"languages": ["sv"], "texts": {"sv": swedish}},
        ),
        case(
            "texts-of-one-language-leave-the-others",
            "each language has texts of its own",
            TEXT,
            [
                callback(
                    {**cancelled, "lang": "de", "says": ["Abgesagt"]},
                    DENIED,
                    from_="old",
                    headers={"accept-language": "de"},
                ),
                callback({**cancelled, "lang": "en", "lacks": ["Abgesagt"]}, DENIED, from_="old"),
            ],
            options={
                "texts": {"de": {title: "Abgesagt"}},
                "languages": ["en", "de"],
                "browser_binding": "off",
            },
        ),
    ]
