"""The schema is valid and its examples run; its readers and the curl page work as printed."""

import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from catalog.models import Accelerator
from config.access.tokens import create_token

pytestmark = pytest.mark.django_db
PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"
EXPECTED = re.compile(r"^#\s*=>\s*(\d{3})", re.MULTILINE)


@pytest.fixture(scope="module")
def schema() -> Any:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    return json.loads(out.getvalue())


def test_the_schema_is_openapi_3_1_without_warnings(schema: Any) -> None:
    assert schema["openapi"].startswith("3.1")
    assert len(schema["paths"]) > 30


def test_every_operation_has_a_summary_and_an_example_or_is_the_root(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            if method == "delete":
                continue  # answers nothing
            made = next(status for status in ("200", "201", "202") if status in operation["responses"])
            answer = operation["responses"][made]["content"].get("application/json", {})
            assert answer.get("examples") or path == "/api/v1/", (method, path)


def test_every_reference_of_the_schema_leads_somewhere(schema: Any) -> None:
    text = json.dumps(schema)
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert name in schema["components"]["schemas"]


@pytest.mark.parametrize(("page", "script"), [("docs", "rest/swagger.js"), ("redoc", "rest/redoc.js")])
def test_the_readers_load_everything_from_here_without_inline_code(
    page: str, script: str, client: Client
) -> None:
    response = client.get(f"/api/{page}/")
    text = response.content.decode()
    assert response.status_code == 200
    assert script in text
    assert "https://" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    policy = response["Content-Security-Policy"]
    script_policy = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script_policy


def commands() -> list[tuple[str, int]]:
    """Every curl command of the page with the status that the line after it promises (200 where none)."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for part in re.split(r"(?m)^(?=curl )", block):
            if part.startswith("curl "):
                promised = EXPECTED.search(part)
                found.append((part.split("\n#")[0], int(promised[1]) if promised else 200))
    return found


def run(client: Client, command: str, variables: dict[str, str]) -> Any:
    """Do what the curl command does, through the test client."""
    words = shlex.split(command.replace("\\\n", " "))[1:]
    for name, value in variables.items():  # as the shell does: after it has taken the quotes away
        words = [word.replace(f"${name}", value) for word in words]
    method, headers, data, address = "GET", {}, None, ""
    while words:
        word = words.pop(0)
        match word:
            case "-X":
                method = words.pop(0)
            case "-H":
                name, _, value = words.pop(0).partition(":")
                headers[name.strip().lower()] = value.strip()
            case "-d" | "--data":
                data = words.pop(0)
                method = "POST" if method == "GET" else method
            case "-s" | "-i" | "-sS" | "-si":
                continue
            case "-I":
                method = "HEAD"
            case _:
                assert not word.startswith("-"), f"the page uses {word}, which this test does not know"
                address = word
    path = address.removeprefix("http://").removeprefix("127.0.0.1:8000")
    content_type = headers.pop("content-type", "application/octet-stream")
    return client.generic(method, path, data or "", content_type=content_type, headers=headers)


def test_the_page_has_commands() -> None:
    assert len(commands()) >= 12


def test_every_command_of_the_page_answers_as_printed(
    client: Client, catalogue: Any, calibrated: Path, editor: User
) -> None:
    row = orjson.loads(client.get("/api/v1/estimates?model=llama-3.1-70b-instruct&limit=1").content)
    token = create_token(editor, ["write_facts", "write_prices", "run_jobs"])[0]
    variables = {"TOKEN": token, "ESTIMATE": str(row["results"][0]["id"])}
    for command, promised in commands():
        etag = client.get("/api/v1/accelerators/nvidia-h100-sxm")["ETag"]
        response = run(client, command, variables | {"ETAG": etag})
        assert response.status_code == promised, (command, response.content[:500])
        if response["Content-Type"].endswith("json") and response.content:
            orjson.loads(response.content)
    assert Accelerator.objects.get(slug="nvidia-h100-sxm").memory_bandwidth_gbs == 4020
