"""Form objects of frameworks, repeated fields, files, and values that are no form."""

from __future__ import annotations

import asyncio
import gc
import importlib
import io
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import bottle
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from starlette.datastructures import UploadFile
from starlette.requests import Request
from tornado.httputil import HTTPFile
from werkzeug.datastructures import FileStorage
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as WerkzeugRequest

from portier_client import BrokerError, Client, InvalidToken

from .conftest import REDIRECT_URI
from .forms import FORMS, Attributes, bottled, webob

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

JUNK = "junk"


@dataclass(frozen=True)
class FileField:
    """The file object of aiohttp and BlackSheep."""

    name: str
    file: object
    data: bytes = b"x"


class Login:
    """A pending login."""

    def __init__(self, broker: DevBroker) -> None:
        self._client = Client(REDIRECT_URI, broker=broker.origin)
        url = asyncio.run(self._client.authenticate("alice@example.com"))
        self.token = broker.mint(url)

    def complete(self, form: Any) -> str | None:
        """Complete the login and return its state."""
        return asyncio.run(self._client.complete(form)).state

    def refuses(self, form: Any, code: str = "token_malformed") -> None:
        with pytest.raises((InvalidToken, BrokerError)) as caught:
            self.complete(form)
        assert caught.value.code == code
        assert self.token not in str(caught.value)

    def still_completes(self) -> None:
        assert self.complete({"id_token": self.token}) is None


@pytest.fixture
def login(broker: DevBroker) -> Login:
    return Login(broker)


@pytest.mark.parametrize("kind", FORMS)
def test_the_form_object_of_each_framework_completes_a_login(login: Login, kind: str) -> None:
    pairs = [("other", "x"), ("id_token", login.token), ("state", "schön ✓"), ("other", "y")]
    assert login.complete(FORMS[kind](pairs)) == "schön ✓"


@pytest.mark.parametrize("kind", FORMS)
def test_a_repeated_field_is_refused_in_every_form(login: Login, kind: str) -> None:
    good, junk = ("id_token", login.token), ("id_token", JUNK)
    for pairs in ([junk, good], [good, junk], [good, ("state", "a"), ("state", "b")]):
        login.refuses(FORMS[kind](pairs))
    login.still_completes()


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_without_a_token_is_missing_token(login: Login, kind: str) -> None:
    login.refuses(FORMS[kind]([("other", "x")]), "missing_token")
    login.refuses(FORMS[kind]([]), "missing_token")


FILES = {
    "Starlette": lambda: UploadFile(io.BytesIO(b"x"), filename="token"),
    "Flask": lambda: FileStorage(io.BytesIO(b"x"), "token"),
    "Django": lambda: SimpleUploadedFile("token", b"x"),
    "Tornado": lambda: HTTPFile(filename="token", body=b"x", content_type="text/plain"),
    "Bottle": lambda: bottle.FileUpload(io.BytesIO(b"x"), "id_token", "token"),
    "aiohttp and BlackSheep": lambda: FileField("id_token", io.BytesIO(b"x")),
    "a file": lambda: io.BytesIO(b"x"),
    "an object": object,
}


@pytest.mark.parametrize("name", ["id_token", "state", "error", "error_description"])
@pytest.mark.parametrize("kind", FILES)
def test_an_uploaded_file_is_refused_as_a_field(login: Login, kind: str, name: str) -> None:
    file = FILES[kind]()
    for form in ({name: file}, {name: [file]}, {"id_token": login.token, name: [file, file]}):
        login.refuses(form)
    login.refuses([("id_token", login.token), (name, file)])
    assert login.complete({"id_token": login.token, "upload": file, b"upload": [file]}) is None


@pytest.mark.parametrize("value", [1, 1.5, True, {"a": "b"}, [["x"]], [None], {"x"}, [1]])
def test_values_other_than_text_are_refused_as_fields(login: Login, value: object) -> None:
    login.refuses({"id_token": value})
    login.still_completes()


def test_none_and_an_empty_list_mean_an_absent_field(login: Login) -> None:
    form = {"id_token": login.token, "error": None, "error_description": None, "state": []}
    assert login.complete(form) is None
    login.refuses({"id_token": None}, "missing_token")


def test_bytes_are_decoded_as_utf_8(login: Login) -> None:
    form = {b"id_token": [bytearray(login.token.encode())], "state": "ü".encode()}
    assert login.complete(form) == "ü"


def test_results_of_urllib_for_bytes_are_accepted(login: Login) -> None:
    body = urlencode({"id_token": login.token, "state": "a b"}).encode()
    login.refuses(parse_qs(body + b"&id_token=x"))
    login.refuses(parse_qsl(b"id_token=x&" + body))
    assert login.complete(parse_qs(body)) == "a b"


def test_a_field_named_like_a_method_is_an_ordinary_field(login: Login) -> None:
    methods = ["getlist", "getall", "get_all", "multi_items", "items", "FieldStorageClass", "list"]
    good = ("id_token", login.token)
    pairs = [*((name, "x") for name in [*methods, "recode_unicode", "__class__"]), good]
    for make in (bottled, Attributes, dict):
        login.refuses(make([*pairs, ("id_token", "x")]) if make is not dict else [*pairs, good])
    assert login.complete(Attributes(pairs)) is None


def test_one_name_as_text_and_as_bytes_is_a_repeated_field(login: Login) -> None:
    login.refuses({"id_token": login.token, b"id_token": login.token.encode()})
    login.still_completes()


@pytest.mark.parametrize("form", [{b"id_token": b"\xff"}, [(b"id_token", b"\xff")]])
def test_bytes_that_are_not_utf_8_are_malformed(login: Login, form: object) -> None:
    login.refuses(form)


def test_a_form_of_bottle_that_is_not_utf_8_is_malformed(login: Login) -> None:
    form = bottle.FormsDict(id_token="\xff\xff")
    login.refuses(form)
    # The form may be decoded already.
    decoded = bottle.FormsDict(id_token=login.token, state="✓")
    assert login.complete(decoded) == "✓"


NO_FORMS: list[Any] = [
    *(None, 1, 1.5, True, "", "id_token=x", b"id_token=x", bytearray(b"x"), ...),
    *([1], [None], ["id_token"], [["id_token"]], [("id_token", "x", "y")], ["ab"], [b"ab"], {1, 2}),
]


@pytest.mark.parametrize("form", NO_FORMS, ids=repr)
def test_a_value_that_is_no_form_is_malformed(login: Login, form: Any) -> None:
    login.refuses(form)


def test_a_function_or_coroutine_as_form_is_a_type_error(login: Login) -> None:
    async def form() -> dict[str, str]:
        return {}

    waiting = form()
    for mistake, kind in ((form, "function"), (waiting, "coroutine")):
        with pytest.raises(TypeError, match=f"form must be a mapping or pairs, not {kind}"):
            login.complete(mistake)
    waiting.close()


def test_an_exception_of_a_form_is_passed_on(login: Login) -> None:
    class Broken:
        def items(self) -> object:
            raise LookupError("its own")

    class BrokenLists:
        def getlist(self, _: str) -> object:
            raise OSError("its own")

    for form, kind in ((Broken(), LookupError), (BrokenLists(), OSError)):
        with pytest.raises(kind, match="its own"):
            login.complete(form)


BOUNDARY = "b"


def multipart(*fields: tuple[str, str, bool]) -> bytes:
    """The body of a form; a field may be a file."""
    parts = []
    for name, value, is_file in fields:
        file = '; filename="f"\r\nContent-Type: text/plain' if is_file else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}'
        parts.append(f"{head}\r\n\r\n{value}\r\n")
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()


CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


async def read_by_starlette(body: bytes) -> Any:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", CONTENT_TYPE.encode())]
    scope = {"type": "http", "method": "POST", "headers": headers}
    return await Request(scope, receive).form()


def read_by_werkzeug(body: bytes) -> Any:
    environ = EnvironBuilder(
        method="POST", content_type=CONTENT_TYPE, input_stream=io.BytesIO(body)
    ).get_environ()
    # Like `request.values` with files, in a site that combines them.
    request = WerkzeugRequest(environ)
    form = request.form.copy()
    for name, file in request.files.items(multi=True):
        form.add(name, file)
    return form


def import_cgi() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("cgi")


def read_by_cgi(body: bytes) -> Any:
    cgi = import_cgi()
    headers = {"content-type": CONTENT_TYPE, "content-length": str(len(body))}
    return cgi.FieldStorage(io.BytesIO(body), headers=headers, environ={"REQUEST_METHOD": "POST"})


WITH_CGI = sys.version_info < (3, 13)
READERS = {
    "Starlette": lambda body: asyncio.run(read_by_starlette(body)),
    "Werkzeug": read_by_werkzeug,
    **({"cgi": read_by_cgi} if WITH_CGI else {}),
}


# Uploaded files are left to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
@pytest.mark.parametrize("reader", READERS)
def test_results_of_multipart_parsers_are_accepted(login: Login, reader: str) -> None:
    read = READERS[reader]
    good, junk = ("id_token", login.token, False), ("id_token", JUNK, False)
    login.refuses(read(multipart(junk, good)))
    login.refuses(read(multipart(("id_token", JUNK, True), good)))
    login.refuses(read(multipart(("id_token", JUNK, True))))
    upload = ("upload", "x", True)
    assert login.complete(read(multipart(upload, good, ("state", "ü", False)))) == "ü"
    gc.collect()


@pytest.mark.skipif(not WITH_CGI, reason="Python 3.13 has no cgi")
def test_a_body_that_is_no_form_is_malformed_with_cgi(login: Login) -> None:
    cgi = import_cgi()
    headers = {"content-type": "text/plain"}
    environ = {"REQUEST_METHOD": "POST"}
    login.refuses(cgi.FieldStorage(io.BytesIO(b"x"), headers=headers, environ=environ))


def test_a_request_without_a_form_is_missing_token(login: Login) -> None:
    login.refuses(webob.multidict.NoVars("no form"), "missing_token")
