"""JSON Schemas of the hardware data files, for editors and reviewers; a test keeps them in step."""

import json
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from catalog.importing.hardware import AcceleratorEntry, SystemEntry
from catalog.importing.reference import SourceEntry, VendorEntry

SCHEMA_FOLDER = Path(__file__).resolve().parent.parent / "data" / "schema"
_FILES: dict[str, type[BaseModel]] = {"systems": SystemEntry, "vendors": VendorEntry, "sources": SourceEntry}


def schema_texts() -> dict[str, str]:
    """Text of each schema file by its name: one accelerator a file, the others lists of entries."""
    schemas = {"accelerator": AcceleratorEntry.model_json_schema()}
    for name, entry in _FILES.items():
        schemas[name] = TypeAdapter(list[entry]).json_schema()  # type: ignore[valid-type]
    return {
        f"{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def write_schemas() -> None:
    """Write the schema files below `catalog/data/schema`."""
    SCHEMA_FOLDER.mkdir(exist_ok=True)
    for name, text in schema_texts().items():
        (SCHEMA_FOLDER / name).write_text(text, encoding="utf-8")
