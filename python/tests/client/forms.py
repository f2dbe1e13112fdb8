"""The forms of web frameworks: the real types, or stand-ins with the same interface."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import bottle
import multidict
import starlette.datastructures
import werkzeug.datastructures
from django.utils.datastructures import MultiValueDict
from tornado.httputil import parse_body_arguments

with warnings.catch_warnings():
    # It imports `cgi`, which is deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import webob.multidict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Pairs = list[tuple[str, str]]


def lists(pairs: Pairs) -> dict[str, list[str]]:
    """Maps each name to all its values."""
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def tornado(pairs: Pairs) -> dict[str, list[bytes]]:
    form: dict[str, list[bytes]] = {}
    kind = "application/x-www-form-urlencoded"
    parse_body_arguments(kind, urlencode(pairs).encode(), form, {})
    return form


def bottled(pairs: Pairs) -> bottle.FormsDict:
    """As the server gives it to Bottle: decoded as Latin-1."""
    form = bottle.FormsDict()
    for name, value in pairs:
        form[name] = value.encode().decode("latin-1")
    return form


def nested(pairs: Pairs) -> webob.multidict.NestedMultiDict:
    return webob.multidict.NestedMultiDict(
        webob.multidict.MultiDict(), webob.multidict.MultiDict(pairs)
    )


class RequestParameters(dict[str, list[str]]):
    """The form of Sanic: `get` returns the first value, and a missing name has no list."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, [default])[0]

    def getlist(self, name: str, default: Any = None) -> Any:
        return super().get(name, default)


class Attributes(bottle.FormsDict):
    """The form of web2py and py4web: fields are attributes, and a missing one is empty."""

    recode_unicode = False

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        for name, value in pairs:
            self.append(name, value)


class FormMultiDict(multidict.MultiDictProxy[str]):
    """The form of Litestar."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(multidict.MultiDict(pairs))

    def multi_items(self) -> Any:
        return self.items()


class GetAll:
    """The form of Robyn and others: no mapping; `get_all` returns nothing for a missing name."""

    def __init__(self, pairs: Pairs) -> None:
        self._lists = lists(pairs)

    def get_all(self, name: str) -> list[str] | None:
        return self._lists.get(name)


class LastOnly:
    """Shows the last value of each name, unless all are requested."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def keys(self) -> Any:
        return dict(self._pairs).keys()

    def __getitem__(self, name: str) -> str:
        return dict(self._pairs)[name]


class Multi(LastOnly):
    def items(self, multi: bool = False) -> Any:
        return self._pairs if multi else dict(self._pairs).items()


class MultiItems(LastOnly):
    def items(self) -> Any:
        return dict(self._pairs).items()

    def multi_items(self) -> Any:
        return iter(self._pairs)


class ItemsOnly:
    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    def items(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)


FORMS: dict[str, Callable[[Pairs], Any]] = {
    "dict of lists": lists,
    "dict of tuples": lambda pairs: {name: tuple(all_) for name, all_ in lists(pairs).items()},
    "pairs": list,
    "pairs in a tuple": tuple,
    "pairs as lists": lambda pairs: [[name, value] for name, value in pairs],
    "pairs, one after the other": iter,
    "pairs of bytes": lambda pairs: [(name.encode(), value.encode()) for name, value in pairs],
    "parse_qs": lambda pairs: parse_qs(urlencode(pairs)),
    "parse_qsl": lambda pairs: parse_qsl(urlencode(pairs)),
    "Twisted and Klein": lambda pairs: {
        name.encode(): [value.encode() for value in values] for name, values in lists(pairs).items()
    },
    "Tornado": tornado,
    # A `QueryDict` is one, and needs the settings of a site.
    "Django": lambda pairs: MultiValueDict(lists(pairs)),
    "Flask and Quart": werkzeug.datastructures.ImmutableMultiDict,
    "Flask, to be changed": werkzeug.datastructures.MultiDict,
    "Flask, with its query": lambda pairs: werkzeug.datastructures.CombinedMultiDict(
        [werkzeug.datastructures.MultiDict(), werkzeug.datastructures.MultiDict(pairs)]
    ),
    "Starlette and FastAPI": starlette.datastructures.FormData,
    "Starlette, as a query": starlette.datastructures.QueryParams,
    "aiohttp": lambda pairs: multidict.MultiDictProxy(multidict.MultiDict(pairs)),
    "aiohttp, to be changed": multidict.MultiDict,
    "Litestar": FormMultiDict,
    "Pyramid": webob.multidict.MultiDict,
    "Pyramid, with its query": nested,
    "Bottle and py4web": bottled,
    "Sanic": lambda pairs: RequestParameters(lists(pairs)),
    "CherryPy, Falcon and BlackSheep": lambda pairs: {
        name: all_ if len(all_) > 1 else all_[0] for name, all_ in lists(pairs).items()
    },
    "get_all": GetAll,
    "items(multi=True)": Multi,
    "multi_items": MultiItems,
    "items only": ItemsOnly,
}
