"""Bodies of POSTed questions: their schema, their faults as problems."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from config.rest.faults import Fault, Problem, invalid_body
from config.rest.schema import COMPONENTS
from estimates.what_if import InvalidQuestion


def asked_schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a body, its parts registered as components."""
    _, schema = models_json_schema([(kind, "validation")], ref_template="#/components/schemas/{model}")
    for name, part in schema["$defs"].items():
        COMPONENTS.setdefault(name, part)
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def refused(error: InvalidQuestion) -> Problem:
    """400 with every fault of the body."""
    return invalid_body([Fault(f.pointer, f.code, f.detail, f.accepted) for f in error.faults])


FAULTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["pointer", "code", "detail", "accepted"],
        "properties": {
            "pointer": {"type": "string"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "accepted": {},
        },
    },
}
