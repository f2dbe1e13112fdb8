"""Logs in at a broker whose name only a name server on this machine knows; prints what was asked.

It runs as root of a namespace, without any other computer in its network: see `test_resolver.py`.

    resolving.py resolv.conf
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import subprocess
import sys
import threading

from portier_client import Client
from portier_client.testing import DevBroker

NAME = "broker.test"
PORT = 8080
A = 1


def main() -> None:
    start_loopback()
    subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=answer_questions, args=(server, asked), daemon=True).start()
        print(asyncio.run(log_in()))
    print(*sorted(set(asked)))


def start_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        # SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


async def log_in() -> str:
    origin = f"http://{NAME}:{PORT}"
    with DevBroker(port=PORT, origin=origin, mode="accept") as broker:
        client = Client("https://example.com/verify", broker=origin, danger_allow_http=True)
        url = await client.authenticate("alice@example.com")
        return (await client.complete({"id_token": broker.mint(url)})).email


def answer_questions(server: socket.socket, asked: list[str]) -> None:
    while True:
        query, peer = server.recvfrom(512)
        labels, place = [], 12
        while length := query[place]:
            labels.append(query[place + 1 : place + 1 + length].decode())
            place += 1 + length
        name = ".".join(labels)
        asked.append(name)
        (kind,) = struct.unpack_from(">H", query, place + 1)
        known = name == NAME
        answers = [b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 1, 4) + socket.inet_aton("127.0.0.1")]
        answers = answers if known and kind == A else []
        flags = 0x8180 if known else 0x8183
        head = query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0)
        server.sendto(head + query[12 : place + 5] + b"".join(answers), peer)


if __name__ == "__main__":
    main()
