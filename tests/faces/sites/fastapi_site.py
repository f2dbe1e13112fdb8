"""A site on FastAPI, for the cases of all integrations."""

from typing import Annotated

from control import Control, asgi
from fastapi import Depends, FastAPI, Request
from responses import SetCookie, respond
from starlette.responses import PlainTextResponse, Response

from portier_client.fastapi import Portier, Session


def make_app(control: Control) -> FastAPI:
    """The application with the options of the case."""
    options = control.made.flow_options
    portier = Portier(
        control.made.client, health_path="/healthz", **control.hooks(respond), **options
    )
    app = FastAPI()

    @app.post("/start")
    async def start(request: Request) -> Response:
        return await portier.start_login(request, *control.start)

    @app.get("/session")
    async def session(session: Annotated[Session | None, Depends(portier.session)]) -> object:
        return {"email": session and session.email}

    if options.get("secret"):

        @app.api_route("/members", methods=["GET", "HEAD", "POST"])
        async def members(_: Annotated[Session, Depends(portier.require_login)]) -> Response:
            return PlainTextResponse("for members")

    portier.install(app)
    if control.sets_cookies:
        app.add_middleware(SetCookie)
    return app


app = asgi(make_app)
