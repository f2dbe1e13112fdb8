"""Pages as the kit reads them."""

from __future__ import annotations

import pytest

from portier_client.testing._cookies import Cookies
from portier_client.testing._html import PageReader

PAGE = """<!doctype html><html><head><style>p { color: red }</style><title>Sign in</title></head>
<body><form action="/find"><input name="q"></form>
<form action="/login?a=1&amp;b=2" method="POST">
<input type="hidden" name="csrf" value="a&quot;b">
<input name="email" type="email"><input type="submit" name="go" value="Go">
<input type="checkbox" name="remember" checked><input type="checkbox" name="news" value="yes">
<input type="radio" name="kind" value="a"><input type="radio" name="kind" value="b" checked>
<select name="language"><option value="en">English<option value="de" selected>Deutsch</select>
<select name="colour"><option value="red">Red<option value="blue">Blue</select>
<textarea name="note">text</textarea><button name="how" value="mail">Sign in</button>
</form><p>By <b>mail</b></p><script>let hidden = "<p>no</p>";</script></body></html>"""


def test_a_form_is_sent_as_a_browser_does() -> None:
    form = PageReader(PAGE).form_with("email")
    assert form is not None
    assert (form.action, form.method) == ("/login?a=1&b=2", "post")
    assert form.fields == {
        "csrf": 'a"b',
        "email": "",
        "remember": "on",
        "kind": "b",
        "language": "de",
        "colour": "red",
        "note": "text",
    }


def test_the_text_of_a_page_is_what_a_person_sees() -> None:
    text = PageReader(PAGE).text
    assert text.startswith("Sign in English Deutsch Red Blue Sign in")
    assert text.endswith("Sign in By mail")


def test_a_page_of_the_flow_is_recognized() -> None:
    page = PageReader('<main data-portier="problem" data-id="over"><h1>Too late</h1></main>')
    assert (page.kind, page.problem, page.text) == ("problem", "over", "Too late")
    assert PageReader("<main>Hello</main>").problem is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Max-Age", "0"),
        ("max-age", "-1"),
        ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Expires", "Mon, 24 Nov 2025 10:00:00 GMT"),
    ],
)
def test_a_cookie_can_be_removed(name: str, value: str) -> None:
    cookies = Cookies()
    cookies.keep(["a=1; Path=/", "b=2", 'c="x=y"; Secure'])
    cookies.keep([f"a=; {name}={value}", "b=3; Max-Age=60"])
    assert cookies.header == 'b=3; c="x=y"'
