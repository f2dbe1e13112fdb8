"""A broker that rotates its keys, signs right and wrong tokens, and fails some of its requests.

    broker.py PORT MINT_PORT GENERATION FAULTS

It shares no code with the clients. On MINT_PORT it signs tokens: a line of JSON in, one out, in the
same order, with the time of the monotonic clock. Its standard input takes `rotate`, `forget` and
`faults SHARE`; on its standard output it tells, in lines of JSON, which requests it failed.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.append(str(Path(__file__).resolve().parents[1] / "vectors"))

from cases.keys import ED_A, ED_B, RSA_A, RSA_B, Jwk
from cases.mint import sign

# The result of a login for which a request failed; see `judge.py`.
FAULTS = ("status", "reset", "cut", "garbage", "huge", "slow")
# Longer than the timeout of the clients.
SLOW = 6
LIFETIME = 60
# An RSA signature costs the broker time, not the clients.
SHARE_OF_RSA = 0.1


class Broker:
    """Keys by generation: the last, the present and the next one are published."""

    def __init__(self, port: int, generation: int, share: float) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.generation = generation
        # A generation that was forgotten is never published again.
        self.first = generation
        self.share = share

    def command(self, line: str) -> None:
        word, *rest = line.split()
        if word == "rotate":
            self.generation += 1
        elif word == "forget":
            self.generation += 100
            self.first = self.generation
        elif word == "faults":
            self.share = float(rest[0])

    def keys(self) -> list[Jwk]:
        generations = range(max(self.first, self.generation - 1), self.generation + 2)
        return [
            signer(algorithm, generation).jwk(f"{algorithm} {generation}")
            for generation in generations
            for algorithm in ("RS256", "EdDSA")
        ]

    def document(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.origin,
                "authorization_endpoint": f"{self.origin}/auth",
                "jwks_uri": f"{self.origin}/keys.json",
                "response_modes_supported": ["form_post", "fragment"],
                "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
            }
        return {"keys": self.keys()} if path == "/keys.json" else None

    def mint(self, url: str, how: str) -> str:
        """The token for a login, or one with one defect."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "aud": query["client_id"],
            "exp": now + 600,
            "iat": now,
            "nonce": query["nonce"],
            "email": query["login_hint"],
            "email_original": query["login_hint"],
        }
        claims |= {
            "issuer": {"iss": "https://broker.example"},
            "audience": {"aud": "https://other.example"},
            "expired": {"iat": now - 2000, "exp": now - 1000},
            "nonce": {"nonce": "n" * 32},
            "address": {"email": "eve@example.com", "email_original": "eve@example.com"},
        }.get(how, {})
        algorithm = "RS256" if random.random() < SHARE_OF_RSA else "EdDSA"
        head = {"alg": algorithm, "kid": f"{algorithm} {self.generation}"}
        key = signer(algorithm, self.generation)
        if how == "stranger":
            head["kid"] = "a stranger's"
        elif how == "signature":
            key = signer(algorithm, self.generation + 1)
        token = sign(head, claims, key.sign)
        return token[:-20] + "!" if how == "malformed" else token


def signer(algorithm: str, generation: int) -> Any:
    """Another id for one of two keys: making a key takes longer than signing."""
    pair = (RSA_A, RSA_B) if algorithm == "RS256" else (ED_A, ED_B)
    return pair[generation % 2]


class Server:
    """Serves the documents, and fails some requests."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.answer(reader, writer):
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; returns whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split()[1]
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        document = self.broker.document(path)
        body = json.dumps(document).encode()
        tag = f'"{hash(body):x}"'
        status = HTTPStatus.OK if document is not None else HTTPStatus.NOT_FOUND
        if headers.get("if-none-match") == tag:
            status, body = HTTPStatus.NOT_MODIFIED, b""
        fault = random.choice(FAULTS) if random.random() < self.broker.share else ""
        if fault:
            tell(fault=fault, at=time.monotonic(), who=headers["user-agent"])
        if fault == "reset":
            writer.transport.abort()
            return False
        if fault == "slow":
            await asyncio.sleep(SLOW)
        elif fault == "status":
            status, body = HTTPStatus.INTERNAL_SERVER_ERROR, b"out of order"
        elif fault in ("garbage", "huge"):
            status, body = HTTPStatus.OK, b"<html>" if fault == "garbage" else b" " * 300_000
        said = f"HTTP/1.1 {int(status)} {status.phrase}\r\nContent-Type: application/json\r\n"
        said += f"Cache-Control: max-age={LIFETIME}\r\nETag: {tag}\r\n"
        if status != HTTPStatus.NOT_MODIFIED:
            said += f"Content-Length: {len(body)}\r\n"
        if fault == "cut":
            body = body[: len(body) // 2]
            said = said.replace(" 304 Not Modified\r\n", " 200 OK\r\nContent-Length: 9\r\n")
        writer.write(f"{said}\r\n".encode() + body)
        return fault != "cut"

    async def sign(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                at, token = time.monotonic(), self.broker.mint(asked["url"], asked["how"])
                writer.write(json.dumps({"token": token, "at": at}).encode() + b"\n")
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


def tell(**members: object) -> None:
    print(json.dumps(members), flush=True)


async def main(port: str, mint_port: str, generation: str, share: str) -> None:
    broker = Broker(int(port), int(generation), float(share))
    server = Server(broker)
    await asyncio.start_server(server.serve, "127.0.0.1", int(port), backlog=512)
    await asyncio.start_server(server.sign, "127.0.0.1", int(mint_port), backlog=512)
    tell(listens=True)
    orders = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await orders.readline():
        broker.command(line.decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
