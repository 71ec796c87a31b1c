"""An editor's HTTP: requests whose fate is told apart, a login, and forms filled in as a browser does."""

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

TIMEOUT_SECONDS = 15.0


class NotSentError(Exception):
    """No connection could be made: the request certainly changed nothing."""


class FateUnknownError(Exception):
    """The connection broke, or the service could not say: the request may have been carried out, or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, and the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One person at a browser or one program with a token; a connection a request, cookies kept."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token
        self.cookies: dict[str, str] = {}

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Raises NotSentError or FateUnknownError (any answer of 5xx is one, for the commit itself may have
        failed)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotSentError(str(error)) from error
        sent = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            answer = Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    for key, morsel in SimpleCookie(value).items():
                        self.cookies[key] = morsel.value
        except (OSError, http.client.HTTPException) as error:
            raise FateUnknownError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 500:
            raise FateUnknownError(f"{answer.status} {_first_words(answer.body)}")
        if "x-request-id" not in answer.headers:  # the service sends it last: the connection broke before it
            raise FateUnknownError("the headers of the answer were cut off")
        return answer

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post_form(self, path: str, fields: list[tuple[str, str]], request_id: str = "") -> Answer:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"http://127.0.0.1:{self.port}{path}",
        }
        if request_id:
            headers["X-Request-ID"] = request_id
        return self.request("POST", path, urlencode(fields).encode(), headers)

    def log_in(self, username: str, password: str) -> None:
        """A session as a person gets one: the login page, its token, the form."""
        path = "/admin/login/"
        form = filled_in(self.get(path).body)
        form = [(n, v) for n, v in form if n not in {"username", "password"}]
        answer = self.post_form(path, [*form, ("username", username), ("password", password)])
        if answer.status != 302:
            raise RuntimeError(f"the login was refused: {answer.status} {_first_words(answer.body)}")


def _first_words(body: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", body.decode(errors="replace")).split())[:300]


@dataclass
class _Select:
    name: str
    multiple: bool
    chosen: list[str] = field(default_factory=list)
    first: str | None = None


class _FormParser(HTMLParser):
    """Names and values that a browser would send of the page's controls, buttons left out."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select: _Select | None = None
        self._textarea: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "input" and name and "disabled" not in given:
            kind = (given.get("type") or "text").lower()
            if kind in {"submit", "button", "image", "file", "reset"}:
                return
            if kind in {"checkbox", "radio"}:
                if "checked" in given:
                    self.fields.append((name, given.get("value") or "on"))
                return
            self.fields.append((name, given.get("value") or ""))
        elif tag == "select" and name:
            self._select = _Select(name, "multiple" in given)
        elif tag == "option" and self._select is not None:
            value = given.get("value") or ""
            if self._select.first is None:
                self._select.first = value
            if "selected" in given:
                self._select.chosen.append(value)
        elif tag == "textarea" and name:
            self._textarea = (name, [])

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._textarea[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select is not None:
            chosen = self._select.chosen
            if not chosen and not self._select.multiple and self._select.first is not None:
                chosen = [self._select.first]
            self.fields += [(self._select.name, value) for value in chosen]
            self._select = None
        elif tag == "textarea" and self._textarea is not None:
            name, parts = self._textarea
            self.fields.append((name, "".join(parts).removeprefix("\n")))
            self._textarea = None


def filled_in(page: bytes) -> list[tuple[str, str]]:
    """Every control of a page with the value it shows; those of empty rows of formsets left out."""
    parser = _FormParser()
    parser.feed(page.decode())
    return [(name, value) for name, value in parser.fields if "__prefix__" not in name]
