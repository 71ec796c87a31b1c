"""Environment variables: typed, registered, and loud when malformed."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("yes", True), ("ON", True), ("0", False), ("false", False), ("", True)],
)
def test_flag_reads_words_and_falls_back_to_its_default(monkeypatch, value, expected):
    monkeypatch.setenv("ATLAS_SOME_FLAG", value)
    assert env.flag("ATLAS_SOME_FLAG", default=True, meaning="") is expected


def test_flag_refuses_other_words_and_says_what_is_accepted(monkeypatch):
    monkeypatch.setenv("ATLAS_SOME_FLAG", "maybe")
    with pytest.raises(ImproperlyConfigured, match=r"ATLAS_SOME_FLAG='maybe' is not a flag: use 1 or 0"):
        env.flag("ATLAS_SOME_FLAG", default=True, meaning="")


@pytest.mark.parametrize(
    ("value", "complaint"), [("ten", "not a whole number"), ("11", "out of range: 1 to 10")]
)
def test_integer_refuses_words_and_what_is_out_of_range(monkeypatch, value, complaint):
    monkeypatch.setenv("ATLAS_SOME_NUMBER", value)
    with pytest.raises(ImproperlyConfigured, match=complaint):
        env.integer("ATLAS_SOME_NUMBER", default=5, minimum=1, maximum=10, meaning="")


def test_a_required_variable_says_why_it_is_needed(monkeypatch):
    monkeypatch.delenv("ATLAS_SOME_SECRET", raising=False)
    with pytest.raises(
        ImproperlyConfigured, match="ATLAS_SOME_SECRET is not set: sessions are signed with it"
    ):
        env.required("ATLAS_SOME_SECRET", why="sessions are signed with it", meaning="")


def test_words_drop_spaces_and_empty_entries(monkeypatch):
    monkeypatch.setenv("ATLAS_SOME_WORDS", " a.example, ,b.example ,")
    assert env.words("ATLAS_SOME_WORDS", default=(), meaning="") == ["a.example", "b.example"]


def test_database_address_is_taken_apart_with_its_escapes_and_options(monkeypatch):
    monkeypatch.setenv("ATLAS_SOME_DB", "postgresql://me:p%40ss@db.example:6432/atlas?sslmode=require")
    assert env.database_from_url("ATLAS_SOME_DB", meaning="") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "atlas",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_database_address_may_name_a_socket_directory(monkeypatch):
    monkeypatch.setenv("ATLAS_SOME_DB", "postgres:///atlas?host=/run/postgresql")
    settings = env.database_from_url("ATLAS_SOME_DB", meaning="")
    assert settings is not None
    assert (settings["HOST"], settings["NAME"], settings["OPTIONS"]) == ("/run/postgresql", "atlas", {})


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://localhost/atlas", "must begin with postgres://"),
        ("postgres://localhost:port/atlas", "port that is not a number"),
        ("postgres://localhost", "names no database"),
    ],
)
def test_a_malformed_database_address_is_refused_with_the_reason(monkeypatch, url, complaint):
    monkeypatch.setenv("ATLAS_SOME_DB", url)
    with pytest.raises(ImproperlyConfigured, match=complaint):
        env.database_from_url("ATLAS_SOME_DB", meaning="")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("valkey://broker:6379/1", "redis://broker:6379/1"), ("redis://broker", "redis://broker")],
)
def test_broker_address_accepts_both_spellings(monkeypatch, url, expected):
    monkeypatch.setenv("ATLAS_SOME_BROKER", url)
    assert env.broker_url("ATLAS_SOME_BROKER", meaning="") == expected


def test_broker_of_another_protocol_is_refused(monkeypatch):
    monkeypatch.setenv("ATLAS_SOME_BROKER", "amqp://broker")
    with pytest.raises(ImproperlyConfigured, match="must begin with redis:// or valkey://"):
        env.broker_url("ATLAS_SOME_BROKER", meaning="")


def test_every_registered_variable_says_what_it_is_for():
    import config.settings

    assert config.settings.VERSION
    silent = [
        name for name, variable in env.REGISTRY.items() if not variable.meaning and "_SOME_" not in name
    ]
    assert silent == []
