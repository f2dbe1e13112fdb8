"""A proxy in front of the site that removes the beginning of the paths."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlsplit

from .. import errors
from ._browser import Request, Steps
from ._failure import LoginFailed

_Result = TypeVar("_Result")
_PREFIX = re.compile(r"/[^?#]*[^/?#]")


class Proxy:
    """Removes a prefix from the paths of requests; without one, it changes nothing."""

    def __init__(self, prefix: str) -> None:
        if prefix and not _PREFIX.fullmatch(prefix):
            raise errors.ConfigError('prefix is not the beginning of a path, such as "/app"')
        self._prefix = prefix

    def outside(self, url: str) -> str:
        """The address, as browsers see it, of a path that may lack the prefix."""
        parts = urlsplit(url)
        if self._is_below(parts.path):
            return url
        return parts._replace(path=self._prefix + (parts.path or "/")).geturl()

    def between(self, steps: Steps[_Result]) -> Steps[_Result]:
        """Pass the requests of a browser to the site, and the replies back."""
        try:
            request = next(steps)
            while True:
                reply = yield self._inside(request)
                reply.url = request.url
                request = steps.send(reply)
        except StopIteration as end:
            result: _Result = end.value
            return result
        finally:
            steps.close()

    def _inside(self, request: Request) -> Request:
        if not self._prefix:
            return request
        parts = urlsplit(request.url)
        if not self._is_below(parts.path):
            raise LoginFailed(
                "the address is not below the prefix of the site; a browser that opens it leaves "
                f"the site prefix={self._prefix} path={parts.path}"
            )
        path = parts.path[len(self._prefix) :] or "/"
        return Request(
            request.method,
            parts._replace(path=path).geturl(),
            {**request.headers, "X-Forwarded-Prefix": self._prefix},
            request.body,
            request.is_elsewhere,
        )

    def _is_below(self, path: str) -> bool:
        return path == self._prefix or path.startswith(f"{self._prefix}/")
