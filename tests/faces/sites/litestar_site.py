"""A site on Litestar inside the ASGI middleware, for the cases of all integrations."""

from typing import Any

from control import Control, asgi
from litestar import Litestar, MediaType, Request, Response, get, route
from litestar.enums import HttpMethod
from responses import SetCookie, respond

from portier_client.asgi import FinishedResponse, PortierMiddleware, Visit

AnyRequest = Request[Any, Any, Any]


class AnswerError(Exception):
    """Carries the response of the middleware to the one place that converts it."""

    def __init__(self, response: FinishedResponse) -> None:
        super().__init__()
        self.response = response


def convert(_: AnyRequest, error: AnswerError) -> Response[str]:
    """The response for Litestar."""
    answer = error.response
    response = Response(answer.body, status_code=answer.status)
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def make_app(control: Control) -> Any:
    """The application with the options of the case."""

    @get("/session")
    async def session(request: AnyRequest) -> dict[str, str | None]:
        session = await Visit.of(request.scope).session()
        return {"email": session and session.email}

    @route(
        "/members",
        http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST],
        media_type=MediaType.TEXT,
    )
    async def members(request: AnyRequest) -> str:
        visit = Visit.of(request.scope)
        if await visit.session() is None:
            raise AnswerError(visit.require_login())
        return "for members"

    litestar = Litestar([session, members], exception_handlers={AnswerError: convert})

    async def site(scope: Any, receive: Any, send: Any) -> None:
        # Litestar's responses have no repeated headers, which the answer to a form may have.
        if scope["type"] == "http" and scope["path"] == "/start":
            response = await Visit.of(scope).start_login(*control.start)
            await response(scope, receive, send)
        else:
            await litestar(scope, receive, send)

    app = PortierMiddleware(
        site,
        control.made.client,
        health_path="/healthz",
        **control.hooks(respond),
        **control.made.flow_options,
    )
    return SetCookie(app) if control.sets_cookies else app


app = asgi(make_app)
