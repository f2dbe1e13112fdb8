"""`configurations.json`: invalid redirect URIs, brokers and options."""

from .mint import Case, in_families

ABOUT = (
    "A client is made for `redirect_uri` and `broker`, with `options`: durations in seconds. "
    "`expect` has the redirect URI that is sent, the client id and the broker's origin, or the "
    "code of the error. Written by generate.py."
)
REDIRECT = "OpenID Connect Core, section 3.1.2.1; RFC 6749, section 3.1.2"
ORIGIN = "RFC 6454, section 6.2; Portier: a broker is an origin"
SERIALIZED = "WHATWG URL, URL serializing; RFC 6454, section 6.2"
PLAIN = "policy: https is required, except on this machine"
RANGE = "policy: options have ranges"
URI = "https://rp.example/verify"
BROKER = "https://broker.example"


def document() -> dict[str, object]:
    """The whole file."""
    families = {
        "configuration: redirect URIs": [redirect_uris],
        "configuration: brokers": [brokers],
        "configuration: plain http": [plain_http],
        "configuration: options": [options],
    }
    return {"about": ABOUT, "cases": in_families(families)}


def case(
    identifier: str,
    about: str,
    expect: str | dict[str, str],
    basis: str,
    *,
    redirect_uri: str = URI,
    broker: str = BROKER,
    **options: object,
) -> Case:
    """One case; `expect` is the code of an error, or the differences from the default."""
    usual = {"redirect_uri": URI, "client_id": "https://rp.example", "broker": BROKER}
    outcome = {"code": expect} if isinstance(expect, str) else {**usual, **expect}
    return {
        "id": identifier,
        "about": about,
        "redirect_uri": redirect_uri,
        "broker": broker,
        "options": options,
        "expect": outcome,
        "basis": basis,
    }


def redirect_uris() -> list[Case]:
    """Redirect URIs, and their origins as client ids."""
    wrong = {
        "empty": "",
        "path": "/verify",
        "no-scheme": "rp.example/verify",
        "scheme-relative": "//rp.example/verify",
        "no-host": "https:///verify",
        "no-slashes": "https:rp.example/verify",
        "one-slash": "https:/rp.example/verify",
        "three-slashes": "https:///rp.example/verify",
        "script": "javascript:alert(1)",
        "script-with-slashes": "javascript://rp.example/%0aalert(1)",
        "data": "data:text/html,x",
        "file": "file:///verify",
        "ftp": "ftp://rp.example/verify",
        "websocket": "wss://rp.example/verify",
        "app": "com.example.app://verify",
        "blob": "blob:https://rp.example/verify",
        "view-source": "view-source:https://rp.example/verify",
        "fragment": "https://rp.example/verify#f",
        "empty-fragment": "https://rp.example/verify#",
        "user": "https://user@rp.example/verify",
        "password": "https://user:word@rp.example/verify",
        "empty-user": "https://@rp.example/verify",
        "user-like-host": "https://rp.example@evil.example/verify",
        "user-escaped": "https://rp.example%40x@evil.example/verify",
        "backslash": "https:\\\\rp.example\\verify",
        "backslash-at": "https://evil.example\\@rp.example/verify",
        "space": "https://rp.example/a b",
        "leading-space": " https://rp.example/verify",
        "trailing-space": "https://rp.example/verify ",
        "line-feed": "https://rp.example/verify\n",
        "inner-line-feed": "https://rp.exa\nmple/verify",
        "tab": "https://rp\t.example/verify",
        "crlf": "https://rp.example/verify\r\nX: y",
        "nul": "https://rp.example/verify\0",
        "no-break-space": "https://rp.example/\xa0",
        "line-separator": "https://rp.example/\u2028",
        "next-line": "https://rp.example/\x85",
        "delete": "https://rp.example/\x7f",
        "bad-port": "https://rp.example:99999/verify",
        "port-0": "https://rp.example:0/verify",
        "port-000": "https://rp.example:000/verify",
        "backslash-path": "https://rp.example/a\\b",
        "fragment-after-host": "https://rp.example#x",
        "form-feed": "https://rp.example/\f",
        "byte-order-mark": "\ufeffhttps://rp.example/verify",
        "word-port": "https://rp.example:port/verify",
        "negative-port": "https://rp.example:-1/verify",
        "bad-host": "https://rp_[.example/verify",
        "bad-ipv6": "https://[::1/verify",
        "bad-ipv4": "https://1.2.3.256/verify",
        "percent-host": "https://rp%00.example/verify",
        "bad-punycode": "https://xn--a.example/verify",
        "soft-hyphen-only": "https://\xad/verify",
        "wildcard-port": "https://rp.example:*/verify",
    }
    rp, idn = "https://rp.example", "https://xn--gteborg-90a.example"
    good = {
        "port": ("https://rp.example:8443/verify", "https://rp.example:8443", "/verify"),
        "default-port": ("https://rp.example:443/verify", rp, "/verify"),
        "default-port-zeros": ("https://rp.example:00443/verify", rp, "/verify"),
        "port-zeros": ("https://rp.example:08443/verify", "https://rp.example:8443", "/verify"),
        "empty-port": ("https://rp.example:/verify", rp, "/verify"),
        "upper-case": ("HTTPS://RP.Example/Verify", rp, "/Verify"),
        "upper-case-scheme": ("Https://rp.example/verify", rp, "/verify"),
        "upper-case-host": ("https://Rp.Example/verify", rp, "/verify"),
        "query": ("https://rp.example/verify?a=b&c", rp, "/verify?a=b&c"),
        "query-after-host": ("https://rp.example?x=1", rp, "/?x=1"),
        "query-after-port": ("https://rp.example:443?x=1", rp, "/?x=1"),
        "empty-query": ("https://rp.example/verify?", rp, "/verify?"),
        "no-path": ("https://rp.example", rp, "/"),
        "default-port-no-path": ("https://rp.example:443", rp, "/"),
        "dots": ("https://rp.example/a/../verify", rp, "/verify"),
        "dot": ("https://rp.example/./verify", rp, "/verify"),
        "dots-above": ("https://rp.example/../../verify", rp, "/verify"),
        "escaped-dots": ("https://rp.example/a/%2e%2E/verify", rp, "/verify"),
        "two-slashes": ("https://rp.example//verify", rp, "//verify"),
        "escaped-path": ("https://rp.example/%76erif%79", rp, "/%76erif%79"),
        "escape-case": ("https://rp.example/a%2fb%2Fc", rp, "/a%2fb%2Fc"),
        "stray-percent": ("https://rp.example/100%", rp, "/100%"),
        "unicode-path": ("https://rp.example/\u00fcber", rp, "/%C3%BCber"),
        "unicode-query": ("https://rp.example/?\u00fc", rp, "/?%C3%BC"),
        "quotes": ("https://rp.example/'\"<>`", rp, "/'%22%3C%3E%60"),
        "quotes-query": ("https://rp.example/?'\"<>`", rp, "/?%27%22%3C%3E`"),
        "unicode": ("https://g\u00f6teborg.example/", idn, "/"),
        "unicode-capitals": ("https://G\u00d6TEBORG.example/", idn, "/"),
        "unicode-port": ("https://g\u00f6teborg.example:443/v", idn, "/v"),
        "unicode-decomposed": ("https://go\u0308teborg.example/", idn, "/"),
        "punycode": ("https://xn--gteborg-90a.example/", idn, "/"),
        "punycode-capitals": ("https://XN--GTEBORG-90A.example/", idn, "/"),
        "sharp-s": ("https://stra\u00dfe.example/", "https://xn--strae-oqa.example", "/"),
        "soft-hyphen": ("https://r\xadp.example/", rp, "/"),
        "ideographic-stop": ("https://rp\u3002example/", rp, "/"),
        "full-width": ("https://\uff52p.example/", rp, "/"),
        "escaped-host": ("https://%72p.example/", rp, "/"),
        "trailing-dot": ("https://rp.example./", "https://rp.example.", "/"),
        "low-line": ("https://my_rp.example/", "https://my_rp.example", "/"),
        "ipv4": ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", "/"),
        "ipv4-number": ("http://2130706433/", "http://127.0.0.1", "/"),
        "ipv4-hexadecimal": ("http://0x7f.1/", "http://127.0.0.1", "/"),
        "ipv4-octal": ("http://0177.0.0.1/v", "http://127.0.0.1", "/v"),
        "ipv4-dot": ("http://127.0.0.1./v", "http://127.0.0.1", "/v"),
        "ipv6": ("http://[::1]:8000/", "http://[::1]:8000", "/"),
        "ipv6-long": ("http://[0:0::0:1]/", "http://[::1]", "/"),
        "ipv6-capitals": ("https://[2001:DB8::A]:443/", "https://[2001:db8::a]", "/"),
        "ipv6-zeros": ("https://[2001:0db8::000a]/", "https://[2001:db8::a]", "/"),
        "ipv6-mapped": ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]", "/"),
        "http": ("http://rp.example/", "http://rp.example", "/"),
        "http-default-port": ("http://rp.example:80/", "http://rp.example", "/"),
        "http-other-default": ("http://rp.example:443/", "http://rp.example:443", "/"),
        "two": (
            "https://rp.example/verify,https://evil.example/",
            rp,
            "/verify,https://evil.example/",
        ),
        "template": ("https://{host}/verify", "https://{host}", "/verify"),
        "at-in-path": ("https://rp.example/@x", rp, "/@x"),
        "at-in-query": ("https://rp.example?@evil.example", rp, "/?@evil.example"),
    }
    return [
        *(
            case(
                f"redirect-uri-{name}",
                f"the redirect URI is {text!a}",
                "invalid_redirect_uri",
                REDIRECT,
                redirect_uri=text,
            )
            for name, text in wrong.items()
        ),
        *(
            case(
                f"redirect-uri-good-{name}",
                "the redirect URI is sent as the URL parser writes it; its origin is the client id",
                {"redirect_uri": origin + rest, "client_id": origin},
                SERIALIZED,
                redirect_uri=text,
            )
            for name, (text, origin, rest) in good.items()
        ),
    ]


def brokers() -> list[Case]:
    """Brokers, and URLs that are no broker."""
    wrong = {
        "empty": "",
        "host": "broker.example",
        "scheme-relative": "//broker.example",
        "path": "https://broker.example/x",
        "double-slash": "https://broker.example//",
        "dots": "https://broker.example/.",
        "dots-up": "https://broker.example/a/..",
        "escaped-dots": "https://broker.example/%2e%2e",
        "well-known": "https://broker.example/.well-known/openid-configuration",
        "query": "https://broker.example?x",
        "empty-query": "https://broker.example/?",
        "fragment": "https://broker.example#x",
        "empty-fragment": "https://broker.example/#",
        "user": "https://user@broker.example",
        "user-like-host": "https://broker.example@evil.example",
        "user-like-port": "https://broker.example:443@evil.example",
        "backslash": "https://broker.example\\",
        "backslash-at": "https://evil.example\\@broker.example",
        "space": "https://broker.example ",
        "line-feed": "https://broker.example\n",
        "tab": "https://bro\tker.example",
        "nul": "https://broker.example\0",
        "ftp": "ftp://broker.example",
        "file": "file:///broker.example",
        "script": "javascript:alert(1)",
        "three-slashes": "https:///broker.example",
        "one-slash": "https:/broker.example",
        "bad-port": "https://broker.example:65536",
        "port-0": "https://broker.example:0",
        "bad-ipv6": "https://[::g]",
        "bad-host": "https://bro<ker.example",
        "no-host": "https://",
        "dot-host": "https://%2e%2e%2f",
        "null": "null",
        "two": "https://broker.example,https://evil.example",
        "bad-punycode": "https://xn--a",
    }
    good = {
        "slash": ("https://broker.example/", BROKER),
        "port": ("https://broker.example:8443", "https://broker.example:8443"),
        "port-zeros": ("https://broker.example:08443", "https://broker.example:8443"),
        "default-port": ("https://broker.example:443/", BROKER),
        "empty-port": ("https://broker.example:", BROKER),
        "upper-case": ("HTTPS://BROKER.Example", BROKER),
        "unicode": ("https://g\u00f6teborg.example", "https://xn--gteborg-90a.example"),
        "full-width": ("https://broker\uff0eexample", BROKER),
        "trailing-dot": ("https://broker.example.", "https://broker.example."),
        "ipv6": ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        "ipv6-zeros": ("https://[2001:0db8:0:0::0001]:443", "https://[2001:db8::1]"),
        "ipv4-octal": ("https://0300.0.2.1", "https://192.0.2.1"),
    }
    return [
        *(
            case(
                f"broker-{name}",
                f"the broker is {text!a}",
                "invalid_broker",
                ORIGIN,
                broker=text,
            )
            for name, text in wrong.items()
        ),
        *(
            case(
                f"broker-good-{name}",
                "the issuer is the broker's origin",
                {"broker": origin},
                ORIGIN,
                broker=text,
            )
            for name, (text, origin) in good.items()
        ),
    ]


def plain_http() -> list[Case]:
    """Brokers that may be used without TLS."""
    refused = {
        "host": "http://broker.example",
        "public-address": "http://192.0.2.1",
        "private-address": "http://10.0.0.1",
        "link-local": "http://169.254.169.254",
        "unspecified": "http://0.0.0.0",
        "unspecified-ipv6": "http://[::]",
        "mapped-ipv6": "http://[::ffff:127.0.0.1]",
        "like-localhost": "http://localhost.example",
        "like-loopback": "http://127.0.0.1.example",
        "ends-like-localhost": "http://evillocalhost",
        "localhost-domain": "http://localhost.localdomain",
        "localhost-dot": "http://localhost.",
    }
    local = {
        "localhost": ("http://localhost:3333", "http://localhost:3333"),
        "localhost-upper-case": ("http://LOCALHOST", "http://localhost"),
        "below-localhost": ("http://broker.localhost", "http://broker.localhost"),
        "loopback": ("http://127.0.0.1:3333", "http://127.0.0.1:3333"),
        "loopback-other": ("http://127.1.2.3", "http://127.1.2.3"),
        "loopback-number": ("http://2130706433", "http://127.0.0.1"),
        "loopback-ipv6": ("http://[::1]", "http://[::1]"),
    }
    return [
        *(
            case(f"http-{name}", f"the broker is {text}", "insecure_url", PLAIN, broker=text)
            for name, text in refused.items()
        ),
        *(
            case(
                f"http-good-{name}",
                "this machine is no network",
                {"broker": origin},
                PLAIN,
                broker=text,
            )
            for name, (text, origin) in local.items()
        ),
        case(
            "http-allowed",
            "allowed by name",
            {"broker": "http://broker.example"},
            PLAIN,
            broker="http://broker.example",
            danger_allow_http=True,
        ),
        case(
            "http-allowed-not-more",
            "which allows nothing else",
            "invalid_broker",
            PLAIN,
            broker="ftp://broker.example",
            danger_allow_http=True,
        ),
    ]


def options() -> list[Case]:
    """Options at their limits, and just above."""
    wrong: list[tuple[str, dict[str, object]]] = [
        ("leeway-over", {"leeway": 301}),
        ("leeway-hour", {"leeway": 3600}),
        ("leeway-just-over", {"leeway": 300.001}),
        ("leeway-negative", {"leeway": -1}),
        ("session-ttl-zero", {"session_ttl": 0}),
        ("session-ttl-short", {"session_ttl": 0.5}),
        ("session-ttl-long", {"session_ttl": 86401}),
        ("session-ttl-negative", {"session_ttl": -60}),
        ("timeout-zero", {"timeout": 0}),
        ("timeout-long", {"timeout": 61}),
        ("timeout-negative", {"timeout": -1}),
        ("no-algorithms", {"algorithms": []}),
        ("algorithm-none", {"algorithms": ["none"]}),
        ("algorithm-hs256", {"algorithms": ["RS256", "HS256"]}),
        ("algorithm-lower-case", {"algorithms": ["rs256"]}),
        ("algorithm-empty", {"algorithms": [""]}),
        ("algorithm-ed25519", {"algorithms": ["Ed25519"]}),
        ("response-mode-query", {"response_mode": "query"}),
        ("response-mode-empty", {"response_mode": ""}),
        ("response-mode-upper-case", {"response_mode": "FORM_POST"}),
        ("response-mode-signed", {"response_mode": "form_post.jwt"}),
    ]
    good: list[tuple[str, dict[str, object]]] = [
        ("leeway-none", {"leeway": 0}),
        ("leeway-most", {"leeway": 300}),
        ("session-ttl-least", {"session_ttl": 1}),
        ("session-ttl-most", {"session_ttl": 86400}),
        ("timeout-least", {"timeout": 0.001}),
        ("timeout-most", {"timeout": 60}),
        ("algorithm-one", {"algorithms": ["EdDSA"]}),
        ("algorithm-twice", {"algorithms": ["RS256", "RS256"]}),
        ("response-mode-fragment", {"response_mode": "fragment"}),
    ]
    return [
        *(
            case(f"option-{name}", "not in its range", "invalid_option", RANGE, **changes)  # type: ignore[arg-type]
            for name, changes in wrong
        ),
        *(
            case(f"option-good-{name}", "in its range", {}, RANGE, **changes)  # type: ignore[arg-type]
            for name, changes in good
        ),
    ]
