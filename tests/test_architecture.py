"""The rules of the tree: what may import what, where facts are read, how a file begins."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPLICATIONS = ("config", "catalog", "estimates")
CORE = ROOT / "estimates" / "core"
ALLOWED_IN_CORE = {"numpy", "estimates.core"} | set(sys.stdlib_module_names)
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py"}
ROW_FACTS = {"MemoryTier", "Link", "Chip", "Offer", "ModelFacts", "Workload"}
MAKERS_OF_ROW_FACTS = {
    "estimates/from_catalog.py",
    "estimates/asked_model.py",  # a model wholly given in the question, which has no row
}


def modules(*folders: str) -> list[Path]:
    """Python files below the folders, migrations and caches left out."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a file imports, inside functions too."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def within(name: str, allowed: set[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in allowed)


@pytest.mark.parametrize("path", modules("estimates/core"), ids=name_of)
def test_the_core_imports_numpy_the_standard_library_and_itself(path):
    wrong = [f"line {line}: {name}" for line, name in imports(path) if not within(name, ALLOWED_IN_CORE)]
    assert wrong == []


def test_the_core_imports_where_no_other_package_exists():
    """Every module of the core loads with numpy alone; the rest of the project and Django are blocked."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules("estimates/core")]
    code = f"""
import importlib, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in {{"django", "rest_framework", "celery", "psycopg", "pydantic", "catalog", "config"}}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
for name in {names!r}:
    importlib.import_module(name.removesuffix(".__init__"))
print(len({names!r}))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == len(names) > 1


@pytest.mark.parametrize("path", modules("catalog"), ids=name_of)
def test_the_catalogue_imports_nothing_of_the_estimates_but_their_core(path):
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path)
        if within(name, {"estimates"}) and not within(name, {"estimates.core"})
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["estimates", "estimates/core"])
def test_packages_that_the_core_lives_in_are_empty(package):
    assert (ROOT / package / "__init__.py").read_text() == ""


def test_no_file_is_a_drawer_for_everything():
    assert [name_of(path) for path in modules(*APPLICATIONS, "tests") if path.name in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("path", [*modules(*APPLICATIONS, "tests"), ROOT / "manage.py"], ids=name_of)
def test_every_file_says_in_its_first_line_what_it_is_about(path):
    text = path.read_text()
    if path.name == "__init__.py" and not text.strip():
        return
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    assert first, "no docstring"
    assert first.rstrip().endswith((".", ";", ":", ",", "!", "?")) or "\n" in text, first


@pytest.mark.parametrize("path", modules(*APPLICATIONS), ids=name_of)
def test_no_signals_no_save_overrides_no_generic_relations(path):
    tree = ast.parse(path.read_text())
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path)
        if within(name, {"django.db.models.signals", "django.dispatch.receiver"})
        or name.endswith((".GenericForeignKey", ".GenericRelation"))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("Model" in ast.unparse(base) for base in node.bases):
            bases = {ast.unparse(base) for base in node.bases}
            wrong += [
                f"line {item.lineno}: {node.name}.save"
                for item in node.body
                if isinstance(item, ast.FunctionDef) and item.name == "save" and "models.Model" in bases
            ]
    assert wrong == []


@pytest.mark.parametrize("path", modules("estimates"), ids=name_of)
def test_rows_become_core_facts_in_one_place(path):
    """Only estimates/from_catalog.py reads catalogue rows and builds the core's facts from them."""
    if name_of(path) in MAKERS_OF_ROW_FACTS:
        return
    names = {name for _, name in imports(path)}
    reads_rows = any(within(name, {"catalog.models"}) for name in names)
    from_the_core = {name.rpartition(".")[2] for name in names if within(name, {"estimates.core.facts"})}
    builds = {name for name in from_the_core & ROW_FACTS if called_in(path, name)}
    assert not (reads_rows and builds), f"reads catalogue rows and builds {sorted(builds)}"


def called_in(path: Path, name: str) -> bool:
    """Whether the file calls a class of this name, which builds one."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_the_product_names_no_path_outside_its_own_tree():
    """Neither code nor data refers to the machine it was written on."""
    outside = ("/" + "work/", "../" + "shared", "/" + "root/")
    suffixes = {
        ".py",
        ".toml",
        ".yml",
        ".yaml",
        ".md",
        ".html",
        ".js",
        ".css",
        ".json",
        ".csv",
        ".txt",
        ".in",
        ".sh",
    }
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    wrong = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in suffixes and path.exists() and "vendor" not in path.parts:
            text = path.read_text(errors="replace")
            wrong += [f"{name}: {part}" for part in outside if part in text]
    assert wrong == []
