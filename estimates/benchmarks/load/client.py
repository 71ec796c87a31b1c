"""One HTTP client of the load: sends a request, reads the whole answer, says how long it took."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

TIMEOUT_SECONDS: Final = 60.0
#: What a kept connection says when the server closed it for idleness while the request was on its way.
CLOSED_MEANWHILE: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `kind` is the line of the report that it counts in."""

    kind: str
    path: str
    method: str = "GET"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` 0 means that nothing did; `fault` says why."""

    status: int
    body: bytes
    etag: str
    began: float
    seconds: float
    fault: str = ""

    def json(self) -> Any:
        return orjson.loads(self.body)


class HttpClient:
    """A client with one connection, kept from request to request or made for each (`keep=False`).

    A GET on a kept connection that turns out closed before a byte of the answer is sent once more on a new
    one, as RFC 9112 (9.3.1) has it; `resent` counts these.
    """

    def __init__(self, host: str, port: int, *, keep: bool = True, token: str = "") -> None:
        self.host, self.port, self.keep = host, port, keep
        self.token = token
        self.resent = 0
        self._connection: http.client.HTTPConnection | None = None

    def send(self, asked: Asked) -> Answer:
        began = time.monotonic()
        headers = {"Accept": "*/*", **asked.headers}
        if not self.keep:
            headers["Connection"] = "close"
        data = None
        if asked.body is not None:
            data = orjson.dumps(asked.body)
            headers["Content-Type"] = "application/json"
        if self.token and asked.method != "GET":
            headers["Authorization"] = f"Bearer {self.token}"
        reused = self._connection is not None
        try:
            try:
                status, body, etag = self._exchange(asked, data, headers)
            except CLOSED_MEANWHILE:
                self.close()
                if not reused or asked.method != "GET":
                    raise
                self.resent += 1
                status, body, etag = self._exchange(asked, data, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            fault = f"{type(error).__name__}: {error}"
            return Answer(0, b"", "", began, time.monotonic() - began, fault)
        if not self.keep:
            self.close()
        return Answer(status, body, etag, began, time.monotonic() - began)

    def _exchange(
        self, asked: Asked, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)
        self._connection.request(asked.method, asked.path, data, dict(headers))
        response = self._connection.getresponse()
        body = response.read()  # raises IncompleteRead where the answer breaks off
        if response.will_close:
            self.close()
        return response.status, body, response.getheader("ETag") or ""

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
