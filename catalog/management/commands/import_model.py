"""`manage.py import_model`: what a Hugging Face config.json describes, counted; optionally stored."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from catalog.history.origin import noted
from catalog.importing.hf_config import (
    ImportedModel,
    ImportRefused,
    architecture_from_hf_config,
    parse_config,
)
from catalog.importing.hf_config.quantisation import weight_bytes
from catalog.importing.hf_config.reading import LARGEST_FILE_BYTES
from catalog.importing.imported_model import as_model_file, check_published, save_model, write_model_file
from estimates.core.architecture_json import architecture_to_json
from estimates.core.attention_kind import attention_kind
from estimates.core.kv_cache import kv_terms
from estimates.core.parameters import count_parameters


class Command(BaseCommand):
    help = "Read a Hugging Face config.json: architecture, parameter counts, KV cache; optionally store it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="config.json, or - for standard input")
        parser.add_argument("--quant", metavar="FILE", help="hf_quant_config.json beside it")
        parser.add_argument("--hf-id", metavar="ORG/NAME", help="the repository the configuration is of")
        parser.add_argument("--slug", help="slug to store it under (default: the repository's name)")
        parser.add_argument(
            "--published-total", type=int, metavar="N", help="refuse when the count is 2%% off"
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print JSON instead of tables"
        )
        parser.add_argument("--save", action="store_true", help="store the model in the database")
        parser.add_argument("--write", action="store_true", help="write its file under catalog/data/models")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run_import(options)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except (ImportRefused, ValueError) as error:
            raise CommandError(" ".join(str(error).split())) from error

    def run_import(self, options: dict[str, Any]) -> None:
        config = parse_config(read(options["file"]), options["file"])
        quant = parse_config(read(options["quant"]), options["quant"]) if options["quant"] else None
        imported = architecture_from_hf_config(config, quant, options["hf_id"])
        match = None
        if options["published_total"] is not None:
            if options["published_total"] <= 0:
                raise ImportRefused("--published-total: a positive number of parameters is expected")
            match = check_published(imported, options["published_total"])
        result = describe(imported)
        if match:
            result["published_match"] = match
        if options["save"] or options["write"]:
            if not options["hf_id"]:
                raise ImportRefused("--save and --write need --hf-id ORG/NAME")
            model = as_model_file(imported, options["hf_id"], options["slug"], options["published_total"])
            if options["write"]:
                result["written"] = str(write_model_file(model))
            if options["save"]:
                with noted("import_model", f"import_model {options['file']}", files=options["file"]):
                    row, created = save_model(model)
                result["saved"] = {"slug": row.slug, "created": created}
        if options["as_json"]:
            self.stdout.write(json.dumps(result, indent=2))
        else:
            text = StringIO()
            print_tables(Console(file=text, width=110, highlight=False), imported, result)
            self.stdout.write(text.getvalue())


def read(name: str) -> bytes:
    """The bytes of a file or of standard input, at most what a configuration may have."""
    if name == "-":
        return sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
    with Path(name).open("rb") as handle:
        return handle.read(LARGEST_FILE_BYTES + 1)


def describe(imported: ImportedModel) -> dict[str, Any]:
    """Everything the command prints, as plain values."""
    architecture = imported.architecture
    counted, terms = count_parameters(architecture), kv_terms(architecture)
    windows = [
        {"window": term.window, "elements_per_token": term.elements_per_token} for term in terms.windows
    ]
    return {
        "family": imported.family,
        "role": architecture.role,
        "attention_kind": attention_kind(architecture),
        "max_context": imported.max_context,
        "dtype": imported.dtype,
        "native_format": imported.native_format,
        "kv_format": imported.kv_format,
        "parameters": {
            "total": counted.total,
            "active": counted.active,
            "active_excluding_input_embedding": counted.active_excluding_input_embedding,
            "mtp": counted.mtp,
            "duplicated_embedding_and_head": counted.duplicated_embedding_and_head,
            "by_group": {group: count for group, count in counted.by_group.items() if count},
        },
        "weight_bytes": round(weight_bytes(architecture, imported.quantisation)),
        "kv_cache": {
            "growing_elements_per_token": terms.growing_elements_per_token,
            "windows": windows,
            "fixed_state_bytes": terms.fixed_state_bytes(),
            "indexer_elements_per_token": terms.indexer_elements_per_token,
            "cross_elements_per_source_token": terms.cross_elements_per_source_token,
            "cross_tokens": terms.cross_tokens,
        },
        "quantisation": {
            group: {"format": stored.format, "bits": stored.bits}
            for group, stored in imported.quantisation.items()
            if counted.by_group[group]
        },
        "architecture": architecture_to_json(architecture),
        "notes": list(imported.notes),
        "warnings": list(imported.warnings),
    }


def print_tables(console: Console, imported: ImportedModel, result: dict[str, Any]) -> None:
    counted = count_parameters(imported.architecture)
    console.print(
        f"{result['family']}: {result['role']}, {result['attention_kind']}, "
        f"context {result['max_context'] or 'not stated'}, stored as {result['native_format']}"
    )
    table = Table("where", "term", "group", title="Parameters")
    for column in ("each", "copies", "total", "active"):
        table.add_column(column, justify="right")
    for line in counted.lines:
        numbers = (line.each, line.copies, line.parameters, line.active)
        table.add_row(line.where, line.term, line.group, *(f"{number:,}" for number in numbers))
    console.print(table)
    print_sums(console, result)
    for key in ("notes", "warnings"):
        for text in result[key]:
            console.print(f"{key.removesuffix('s')}: {text}")
    if "published_match" in result:
        console.print(f"published total: {result['published_match']}")
    if "written" in result:
        console.print(f"written: {result['written']}")
    if "saved" in result:
        console.print(f"saved: {result['saved']['slug']}")


def print_sums(console: Console, result: dict[str, Any]) -> None:
    parameters, cache = result["parameters"], result["kv_cache"]
    table = Table("quantity", title="Sums", show_header=False)
    table.add_column("value", justify="right")
    for name, value in parameters.items():
        if name != "by_group" and value:
            table.add_row(f"parameters, {name.replace('_', ' ')}", f"{value:,}")
    table.add_row("stored weight bytes", f"{result['weight_bytes']:,}")
    growing = cache["growing_elements_per_token"]
    table.add_row("KV elements a token, growing", f"{growing:,.0f} ({2 * growing:,.0f} bytes in bf16)")
    for term in cache["windows"]:
        name = f"KV elements a token, last {term['window']:,} tokens"
        table.add_row(name, f"{term['elements_per_token']:,.0f}")
    for name in ("fixed_state_bytes", "indexer_elements_per_token", "cross_elements_per_source_token"):
        if cache[name]:
            table.add_row(name.replace("_", " "), f"{cache[name]:,.0f}")
    for group, stored in result["quantisation"].items():
        table.add_row(f"stored {group.replace('_', ' ')}", f"{stored['format']}, {stored['bits']:g} bits")
    console.print(table)
