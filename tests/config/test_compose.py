"""The deployment files: settings that exist, no secret, and commands that the project has."""

import re
from importlib.util import find_spec
from typing import Any

import pytest
import yaml

import config.settings  # noqa: F401  (fills the registry of settings)
from config import embedded, env

COMPOSE: dict[str, Any] = yaml.safe_load((embedded.BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if "build" in service}
REFERENCE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<operator>:\?|:-)(?P<rest>[^}]*)\}")
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|AUTH")


def words(command: Any) -> list[str]:
    return command if isinstance(command, list) else str(command).split()


def test_the_services_are_those_of_the_deployment():
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "web", "worker", "beat"}


@pytest.mark.parametrize("name", sorted(OWN))
def test_each_setting_passed_exists(name):
    unknown = set(OWN[name]["environment"]) - set(env.REGISTRY)
    assert unknown == set()


@pytest.mark.parametrize("name", sorted(OWN))
def test_each_service_gets_what_production_requires(name):
    assert OWN[name]["environment"]["ATLAS_ENV"] == "production"
    assert {"SECRET_KEY", "DATABASE_URL", "BROKER_URL", "ALLOWED_HOSTS"} <= set(OWN[name]["environment"])


def test_engines_are_the_major_versions_that_development_uses():
    assert SERVICES["postgres"]["image"] == f"postgres:{embedded.POSTGRES_MAJOR}"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:9"


def test_the_broker_keeps_its_tasks_and_evicts_none():
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_that_stays_has_a_health_check(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert check["retries"] >= 3


def test_migrations_run_once_before_the_others_start():
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_the_environment_and_have_no_default(name):
    for key, value in SERVICES[name]["environment"].items():
        if SECRET.search(key):
            found = REFERENCE.fullmatch(value)
            assert found, f"{name}: {key} is a literal"
            assert found["operator"] == ":?", f"{name}: {key} has a default"


def test_no_address_carries_a_literal_password():
    text = (embedded.BASE_DIR / "docker-compose.yml").read_text()
    for password in re.findall(r"://[^:/\s]*:([^@\s]+)@", text):
        assert password.startswith("${"), password
    for found in REFERENCE.finditer(text):
        assert found["operator"] == ":?" or not SECRET.search(found["name"]), found.group()


@pytest.mark.parametrize("name", sorted(OWN))
def test_own_services_run_without_privileges(name):
    assert OWN[name]["cap_drop"] == ["ALL"]
    assert OWN[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(OWN))
def test_commands_and_probes_name_modules_that_exist(name):
    parts = words(OWN[name].get("command", [])) + words(OWN[name]["healthcheck"].get("test", []))
    parts = [word for part in parts for word in part.split()]
    for position, word in enumerate(parts):
        if word == "-m":
            assert find_spec(parts[position + 1]), parts[position + 1]
        if word == "manage.py":
            assert command_exists(parts[position + 1]), parts[position + 1]
        if word.startswith("--app="):
            assert find_spec(f"{word.removeprefix('--app=')}.celery")


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_that_stays_comes_back_and_has_a_bound_on_its_memory(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


def test_what_stops_has_the_time_to_end_its_work():
    from estimates.sweeper import BUDGET_SECONDS

    assert seconds("worker") >= BUDGET_SECONDS + 30  # a sweep ends after its chunk
    assert seconds("web") > 30  # gunicorn's graceful_timeout
    assert seconds("postgres") >= 60  # a checkpoint


def seconds(name: str) -> int:
    return int(SERVICES[name]["stop_grace_period"].removesuffix("s"))


def test_workers_can_be_many_and_have_no_name_or_port_of_their_own():
    assert not {"container_name", "ports", "hostname"} & set(SERVICES["worker"])
    assert SERVICES["worker"]["scale"] == "${ATLAS_WORKERS:-1}"


def test_an_abandoned_transaction_ends_by_itself():
    assert "-cidle_in_transaction_session_timeout=60s" in SERVICES["postgres"]["command"]


def test_what_keeps_data_keeps_it_in_a_volume():
    for name in ("postgres", "valkey"):
        (mounted,) = SERVICES[name]["volumes"]
        assert mounted.split(":")[0] in COMPOSE["volumes"]


def command_exists(name: str) -> bool:
    from django.core.management import get_commands

    return name in get_commands()
