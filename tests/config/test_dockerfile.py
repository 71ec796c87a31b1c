"""The image: two stages, no root, no secret, locked packages."""

import re

import pytest

import config.settings  # noqa: F401  (fills the registry of settings)
from config import embedded, env

SECRET = re.compile(r"SECRET|PASSWORD|TOKEN")


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments of each line of the Dockerfile, continuation lines joined."""
    text = re.sub(r"\\\n\s*", "", (embedded.BASE_DIR / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def test_the_image_is_built_in_two_stages_from_the_python_of_the_project():
    version = (embedded.BASE_DIR / ".python-version").read_text().strip()
    assert [stage[0][1].split()[0] for stage in stages()] == [f"python:{version}-slim"] * 2


def test_the_service_runs_as_a_user_of_its_own():
    users = [rest for word, rest in stages()[-1] if word == "USER"]
    assert users == ["atlas"]
    last = [word for word, _ in stages()[-1]]
    assert last.index("USER") < last.index("CMD")
    assert "USER" not in last[last.index("USER") + 1 :]


def test_packages_are_installed_with_their_hashes_in_the_first_stage_alone():
    assert any("--require-hashes" in rest for word, rest in stages()[0] if word == "RUN")
    assert not any("pip" in rest for word, rest in stages()[1] if word == "RUN")


def test_the_image_has_the_programs_of_backup_and_restore():
    text = (embedded.BASE_DIR / "Dockerfile").read_text()
    assert "pginstall/bin/pg_dump" in text
    assert "pginstall/bin/pg_restore" in text
    (path,) = re.findall(r"PATH=(\S+)", text)
    assert "/opt/postgres/client/pginstall/bin" in path.split(":")


def test_the_image_copies_paths_that_exist_and_nothing_private():
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            for source in sources:
                assert (embedded.BASE_DIR / source).exists(), source
    ignored = (embedded.BASE_DIR / ".dockerignore").read_text().splitlines()
    assert {".git", ".local", ".env", ".venv"} <= set(ignored)


def test_the_image_sets_only_settings_that_exist():
    known = set(env.REGISTRY) | {"PATH", "DJANGO_SETTINGS_MODULE"}
    for word, rest in instructions():
        if word == "ENV":
            for name in re.findall(r"([A-Z_]+)=", rest):
                assert name in known or name.startswith(("PYTHON", "PIP_", "OPENBLAS_", "MALLOC_")), name


def test_no_secret_is_baked_into_the_image():
    for stage in stages():
        for word, rest in stage:
            assert not (word in {"ENV", "ARG"} and SECRET.search(rest)), rest


def test_the_build_context_has_one_requirements_file_with_hashes():
    text = (embedded.BASE_DIR / "requirements.txt").read_text()
    pinned = re.findall(r"^[a-z0-9][^\s=]*==\S+ \\$", text, flags=re.MULTILINE)
    assert len(pinned) > 30
    assert text.count("--hash=sha256:") >= len(pinned)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_locked_files_name_no_package_index(name):
    text = (embedded.BASE_DIR / name).read_text()
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|https?://|file://", text)
