"""A load generator of a few threads on raw sockets, light enough to leave the cores to the server."""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

#: As many clients take turns as keep each of them far below the limit on its requests.
ADDRESSES = 200


class AnswerError(Exception):
    """The server answered with another status, or not in full."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and the status that answers it."""

    path: str
    etag: str = ""
    status: int = 200

    def encoded(self, host: str, number: int) -> bytes:
        condition = f"If-None-Match: {self.etag}\r\n" if self.etag else ""
        address = f"10.0.{number % ADDRESSES}.1"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {address}\r\n"
            f"Accept: application/json\r\n{condition}\r\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    etag: str
    body: bytes


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"127.0.0.1:{port}"
        self._number = 0

    def ask(self, asked: Asked) -> Answered:
        """Raises AnswerError."""
        self._number += 1
        self._socket.sendall(asked.encoded(self._host, self._number))
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more(65_536)
        head, _, start = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(lines[0].split()[1])
        if status != asked.status:
            raise AnswerError(f"{asked.path} was answered with {lines[0]}")
        parts, missing = [start], int(headers.get("content-length", 0)) - len(start)
        while status != 304 and missing > 0:
            parts.append(self._more(262_144))
            missing -= len(parts[-1])
        return Answered(status, headers.get("etag", ""), b"".join(parts))

    def close(self) -> None:
        self._socket.close()

    def _more(self, most: int) -> bytes:
        found = self._socket.recv(most)
        if not found:
            raise AnswerError("the server closed the connection within an answer")
        return found


def requests_per_second(port: int, asked: Sequence[Asked], seconds: float, connections: int) -> float:
    """Ask in turn over each of the connections for that long. Raises AnswerError."""
    counts, failures = [0] * connections, list[BaseException]()
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        connection = Connection(port)
        turn = number * len(asked) // connections
        try:
            while time.perf_counter() < end:
                connection.ask(asked[turn % len(asked)])
                counts[number] += 1
                turn += 1
        except (OSError, AnswerError) as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise AnswerError(str(failures[0]))
    return sum(counts) / (time.perf_counter() - begun)
