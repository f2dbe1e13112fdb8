"""A site on FastAPI with sealed sessions, whose URLs are those of browsers."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from settings import BROKER, REDIRECT_URI, SECRET

from portier_client import Client
from portier_client.fastapi import Portier, Session

client = Client(REDIRECT_URI, broker=BROKER)
portier = Portier(client, secret=SECRET, callback_path="/verify")
app = FastAPI()
portier.install(app)


@app.get("/", response_class=PlainTextResponse)
async def index() -> str:
    return "sign in"


@app.get("/members", response_class=PlainTextResponse)
async def members(
    request: Request, session: Annotated[Session, Depends(portier.require_login)]
) -> str:
    return f"{session.email} at {request.url}"
