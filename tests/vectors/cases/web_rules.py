"""The rules behind the cases of `web.json`, and shared expectations."""

from .web_steps import POSTED_AGAIN, problem

OPEN = "policy: a login leads to pages of this site and of the allowed hosts only"
FORM_RULE = "policy: a field that is repeated, or is not UTF-8, is missing"
FETCH = "Fetch Metadata Request Headers, section 2; RFC 6454, section 7"
SIZE = "policy: a form has at most 64 KiB"
CSRF = "OpenID Connect Core, section 15.5.2; RFC 6749, section 10.12"
ONCE = "OpenID Connect Core, section 3.2.2.11: a nonce is used once"
LAX = "RFC 6265bis, section 5.6.7.1: a post of another site comes without Lax cookies"
PROOF = "policy: only a proof of a sign-in in this browser redirects without a question"
BLOCKED = "policy: a browser without cookies gets the problem at once, without a question"
MALLORY = "mallory@example.com"
VICTIM = "victim"
HOST = "RFC 6265bis, section 4.1.3.2: only this host sets a cookie named __Host-"
TWO = "RFC 6265bis, section 5.8.3: the owners of two cookies with one name are unknown"
OWASP = "policy: data of a request is escaped"
VISIT = "RFC 9110, section 9.2.1: safe methods change nothing"
EXACT = "policy: exactly one path is answered"
SCRIPT = "Fetch Metadata Request Headers, section 2.2; RFC 9457"
FORMS = "CSP 3, section 6.4.1: form-action applies to redirects"
OPTIONS = "policy: invalid options are refused when the flow is made"
PROBLEM = "policy: each kind of failure has one page, with one status"
LANGUAGE = "RFC 9110, section 12.5.4; RFC 4647, section 3.4"
TEXT = "policy: a site may replace any text"
CLOCK = "policy: a wrong clock is named, and uses nothing up"

INVALID = problem("invalid_email", 400, "invalid_email")
OTHER_SITE = problem("other_site", 403, "request_origin")
OFF = {"browser_binding": "off"}
REQUIRE = {"browser_binding": "require"}
NO_COOKIES = problem("cookies_needed", 400, "request_cookies")
OTHER_BROWSER = problem("other_browser", 400, "session_browser")
CONFIRMED = [*POSTED_AGAIN, ["portier_confirmation", "{field:portier_confirmation}"]]
OVER = problem("over", 400, "session_unknown")
POST_ONLY = problem("post_only", 405, "request_method", headers={"allow": "POST"})
FRAGMENT = {"response_mode": "fragment"}
RETRY = {"headers": {"retry-after": "30"}}
DENIED = [["state", ""], ["error", "access_denied"]]
CANCELLED = problem("cancelled", 403, "broker_error")
