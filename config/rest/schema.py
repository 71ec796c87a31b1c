"""Describes the API in OpenAPI 3.1 from the tables of columns, with an example for each operation."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.views import APIView

from config.rest.columns import Column, Resource, Type
from config.rest.lookups import CONTAINS, EXACT, IS_NULL, MEANINGS, NOT, filter_names
from config.rest.parameters import DEFAULT_LIMIT, FIRST_CURSOR, FORMATS, LARGEST_LIMIT

Schema = dict[str, Any]

JSON_TYPES: Mapping[Type, Schema] = {
    Type.TEXT: {"type": "string"},
    Type.SLUG: {"type": "string"},
    Type.CHOICE: {"type": "string"},
    Type.INTEGER: {"type": "integer"},
    Type.NUMBER: {"type": "number"},
    Type.MONEY: {"type": "string", "format": "decimal"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.DATE: {"type": "string", "format": "date"},
    Type.TIME: {"type": "string", "format": "date-time"},
    Type.JSON: {},
}
PARAMETER_TYPES: Mapping[Type, Any] = {
    Type.INTEGER: OpenApiTypes.INT64,
    Type.NUMBER: OpenApiTypes.DOUBLE,
    Type.MONEY: OpenApiTypes.DECIMAL,
    Type.BOOLEAN: OpenApiTypes.BOOL,
    Type.DATE: OpenApiTypes.DATE,
    Type.TIME: OpenApiTypes.DATETIME,
}
EXAMPLES: Mapping[Type, Any] = {
    Type.TEXT: "text",
    Type.SLUG: "nvidia-h100-sxm",
    Type.INTEGER: 8,
    Type.NUMBER: 80.0,
    Type.MONEY: "2.5",
    Type.BOOLEAN: True,
    Type.DATE: "2025-01-31",
    Type.TIME: "2025-01-31T12:00:00Z",
    Type.JSON: None,
}

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail", "accepted"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer into the body, `?name` of a parameter, or `header:Name`",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "accepted": {"description": "what would be accepted: values, names or a rule"},
                },
            },
        },
        "request_id": {"type": "string", "description": "the same as in X-Request-ID"},
    },
}
PROBLEM_EXAMPLE = {
    "type": "urn:inference-atlas:problem:invalid-parameters",
    "title": "Bad Request",
    "status": 400,
    "detail": "The query is not accepted: unknown parameter 'colour'",
    "errors": [
        {
            "pointer": "?colour",
            "code": "unknown_parameter",
            "detail": "unknown parameter 'colour'",
            "accepted": ["fields", "omit", "ordering"],
        }
    ],
    "request_id": "7b0c6a1f5d5c4d0b9c6b6b2f3c1a9e10",
}

#: Named schemas by component name, added to the document by `finish`.
COMPONENTS: dict[str, Schema] = {"Problem": PROBLEM}


def component(name: str, schema: Schema) -> Schema:
    """Register a named schema; returns the reference to it."""
    COMPONENTS[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def column_schema(column: Column) -> Schema:
    schema: Schema = dict(JSON_TYPES[column.type])
    if column.words:
        schema["enum"] = [*dict.fromkeys(column.words.values()), *([None] if column.nullable else [])]
    if column.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if column.meaning:
        schema["description"] = column.meaning
    return schema


def example_of(column: Column) -> Any:
    if column.example is not None:
        return column.example
    return next(iter(column.words.values())) if column.words else EXAMPLES[column.type]


def row_schema(resource: Resource, with_sections: bool) -> Schema:
    properties = {
        column.name: column_schema(column) for column in resource.columns if column.listed or with_sections
    }
    if with_sections:
        for name in resource.sections:
            properties[name] = {"description": resource.section_meanings.get(name, name)}
    return {"type": "object", "description": resource.meaning, "properties": properties}


def row_example(resource: Resource) -> dict[str, Any]:
    return {column.name: example_of(column) for column in resource.columns if column.listed}


def list_parameters(resource: Resource) -> list[OpenApiParameter]:
    """Every parameter of a list: the resource's own, those of all lists, and the filters by column."""
    sortable = [column.name for column in resource.columns if column.sortable]
    order = f" Default: {','.join(resource.ordering)}." if resource.ordering else ""
    found = [
        OpenApiParameter(
            parameter.name,
            str,
            description=parameter.meaning,
            enum=parameter.words or None,
            many=parameter.repeatable,
            explode=True if parameter.repeatable else None,
        )
        for parameter in resource.parameters
    ]
    found += [
        OpenApiParameter(
            "ordering",
            str,
            description="Comma-separated names, `-` first for descending; the unknown comes last. Of "
            + ", ".join(sortable)
            + f".{order}",
        ),
        OpenApiParameter(
            "limit", int, description=f"Rows on a page, 1 to {LARGEST_LIMIT}; default {DEFAULT_LIMIT}."
        ),
        OpenApiParameter("offset", int, description="Rows to skip."),
    ]
    if resource.deep:
        found.append(
            OpenApiParameter(
                "cursor",
                str,
                description=f"`{FIRST_CURSOR}`, then as each next link has it: all rows at constant cost.",
            )
        )
    found += detail_parameters([column.name for column in resource.columns], FORMATS)
    found += [
        _filter(name, column, lookup) for name, (column, lookup) in filter_names(resource.columns).items()
    ]
    return found


def detail_parameters(names: list[str], formats: tuple[str, ...] = ("json",)) -> list[OpenApiParameter]:
    listed = ", ".join(names)
    return [
        OpenApiParameter("fields", str, description=f"Only these fields, comma-separated: {listed}."),
        OpenApiParameter("omit", str, description="All fields but these, comma-separated."),
        OpenApiParameter("format", str, enum=formats, description="In place of the Accept header."),
    ]


def _filter(name: str, column: Column, lookup: str) -> OpenApiParameter:
    repeatable = lookup in (EXACT, NOT, CONTAINS)
    kind = bool if lookup == IS_NULL else PARAMETER_TYPES.get(column.type, str)
    return OpenApiParameter(
        name,
        kind,
        description=f"{column.name} {MEANINGS[lookup]}." + (f" {column.meaning}." if column.meaning else ""),
        enum=list(dict.fromkeys(column.words.values())) if column.words and lookup != IS_NULL else None,
        many=repeatable,
        explode=True if repeatable else None,
    )


def described_list[V: type[APIView]](view: V, resource: Resource) -> V:
    name = _component_name(resource)
    row = component(name, row_schema(resource, with_sections=False))
    page = component(
        f"{name}Page",
        {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": ["integer", "null"], "description": "rows that match; null with a cursor"},
                "next": {"type": ["string", "null"], "format": "uri"},
                "previous": {"type": ["string", "null"], "format": "uri"},
                "results": {"type": "array", "items": row},
            },
        },
    )
    address = f"/api/v1/{resource.name}" + (f"?{resource.example_query}" if resource.example_query else "")
    return _describe(
        view,
        operation_id=f"list_{resource.name.replace('-', '_')}",
        summary=f"List {resource.name.replace('-', ' ')}",
        description=f"{resource.meaning}\n\nExample: `GET {address}`",
        tags=[resource.name],
        parameters=list_parameters(resource),
        responses={(200, "application/json"): page, (200, "text/csv"): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "One row",
                value={"count": 1, "next": None, "previous": None, "results": [row_example(resource)]},
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )


def described_detail[V: type[APIView]](view: V, resource: Resource) -> V:
    row = component(f"{_component_name(resource)}Detail", row_schema(resource, with_sections=True))
    names = [column.name for column in resource.columns] + list(resource.sections)
    return _describe(
        view,
        operation_id=f"get_{resource.noun.replace(' ', '_')}",
        summary=f"One {resource.noun}",
        description=f"{resource.meaning}\n\nAll its columns, with "
        + (", ".join(f"`{name}`" for name in resource.sections) or "nothing else")
        + ".",
        tags=[resource.name],
        parameters=[
            OpenApiParameter(
                "key", str, OpenApiParameter.PATH, description=f"{resource.key} of the {resource.noun}"
            ),
            *detail_parameters(names),
        ],
        responses={(200, "application/json"): row},
        examples=[
            OpenApiExample("Columns", value=row_example(resource), response_only=True, status_codes=["200"])
        ],
    )


def described_patch[V: type[APIView]](view: V, resource: Resource, body: Schema, example: Any) -> V:
    """Describe the PATCH of a detail view."""
    row = {"$ref": f"#/components/schemas/{_component_name(resource)}Detail"}
    decorate: Callable[[V], V] = extend_schema_view(
        patch=extend_schema(
            operation_id=f"change_{resource.noun.replace(' ', '_')}",
            summary=f"Change figures of one {resource.noun}",
            tags=[resource.name],
            request={"application/json": component(f"{_component_name(resource)}Change", body)},
            parameters=[
                OpenApiParameter(
                    "key", str, OpenApiParameter.PATH, description=f"slug of the {resource.noun}"
                ),
                OpenApiParameter(
                    "If-Match",
                    str,
                    OpenApiParameter.HEADER,
                    required=True,
                    description="ETag of the version read; 428 without, 412 with the current one when stale.",
                ),
            ],
            responses={(200, "application/json"): row},
            examples=[
                OpenApiExample("A new datasheet", value=example, request_only=True),
                OpenApiExample(
                    "Changed", value=row_example(resource), response_only=True, status_codes=["200"]
                ),
            ],
        )
    )
    return decorate(view)


def _describe[V: type[APIView]](view: V, **description: Any) -> V:
    decorate: Callable[[V], V] = extend_schema_view(get=extend_schema(**description))
    return decorate(view)


def _component_name(resource: Resource) -> str:
    return "".join(part.capitalize() for part in resource.noun.replace("-", " ").split())


def finish(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Add the named schemas, the problem answer of every operation, and what headers every answer has."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(COMPONENTS)
    result["components"].setdefault("responses", {})["Problem"] = {
        "description": "What went wrong, where, and what would be accepted.",
        "headers": {"X-Request-ID": {"schema": {"type": "string"}}},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": PROBLEM_EXAMPLE,
            }
        },
    }
    etag = {"schema": {"type": "string"}, "description": "strong; send it back in If-None-Match or If-Match"}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            operation["responses"].setdefault("default", {"$ref": "#/components/responses/Problem"})
            success = operation["responses"].get("200")
            if success is not None and method in ("get", "patch"):
                success.setdefault("headers", {})["ETag"] = etag
            if method == "get":
                operation["responses"].setdefault("304", {"description": "unchanged since that ETag"})
    return result


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """How the schema names the access token."""

    target_class = "config.access.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "`manage.py create_token USER --scope read`",
        }
