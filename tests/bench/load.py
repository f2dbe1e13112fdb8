"""Sends requests to a site over several connections, as fast as it answers."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

CONNECTIONS = 16


class Response(NamedTuple):
    """The response of a site."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """One kept connection, with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[tuple[bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        head = bytes(self._received[:end])
        start = end + 4
        last = self._end_of_body(head.lower(), start)
        if last is not None:
            body = bytes(self._received[start:last])
            del self._received[:last]
            self._waiting.set_result((head, body))

    def _end_of_body(self, head: bytes, start: int) -> int | None:
        """Where the body ends, as soon as all of it is there."""
        if b"transfer-encoding: chunked" in head:
            last = self._received.find(b"0\r\n\r\n", start)
            return last + 5 if last >= 0 else None
        last = start + int(_after(head, b"content-length:"))
        return last if len(self._received) >= last else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("the site hung up"))

    async def send(self, request: bytes) -> tuple[bytes, bytes]:
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def drive(port: int, requests: list[bytes]) -> tuple[float, list[Response]]:
    """The seconds that a site took for all requests, and its responses."""
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(Connection, "localhost", port)
        for _ in range(min(CONNECTIONS, len(requests)))
    ]
    left = iter(enumerate(requests))
    answers: dict[int, tuple[bytes, bytes]] = {}

    async def visitor(connection: Connection) -> None:
        for number, request in left:
            answers[number] = await connection.send(request)

    start = time.perf_counter()
    await asyncio.gather(*(visitor(connection) for _, connection in opened))
    seconds = time.perf_counter() - start
    for _, connection in opened:
        connection.close()
    return seconds, [parse(*answers[number]) for number in range(len(requests))]


async def ask(port: int, request: bytes) -> Response:
    """The response to one request."""
    _, (response,) = await drive(port, [request])
    return response


def parse(head: bytes, body: bytes) -> Response:
    status, *lines = head.decode().split("\r\n")
    headers, cookies = {}, {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name.lower() == "set-cookie":
            cookie, _, text = value.partition(";")[0].partition("=")
            cookies[cookie] = text
        else:
            headers[name.lower()] = value
    return Response(int(status.split(" ")[1]), headers, cookies, body)


def _after(head: bytes, name: bytes) -> bytes:
    start = head.index(name) + len(name)
    return head[start:].partition(b"\r\n")[0]
