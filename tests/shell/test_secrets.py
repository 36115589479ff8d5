from __future__ import annotations

import pytest

from turnfold.shell.ports import Secrets
from turnfold.shell.secrets import EnvironmentSecrets
from turnfold.testing.fakes import FakeSecrets

PAIRS = (("OPENAI_API_KEY", "sk-very-secret"), ("EMPTY", ""))


@pytest.fixture(params=[EnvironmentSecrets(dict(PAIRS)), FakeSecrets(PAIRS)], ids=["real", "fake"])
def secrets(request: pytest.FixtureRequest) -> Secrets:
    made: Secrets = request.param
    return made


def test_value_by_name_none_where_there_is_none(secrets: Secrets) -> None:
    assert secrets.value("OPENAI_API_KEY") == "sk-very-secret"
    assert secrets.value("EMPTY") is None
    assert secrets.value("OTHER") is None


def test_printing_shows_no_value(secrets: Secrets) -> None:
    assert "sk-very" not in f"{secrets!r} {secrets}"


def test_later_changes_of_the_mapping_do_not_count() -> None:
    environ = {"A": "1"}
    secrets = EnvironmentSecrets(environ)
    environ["A"] = "2"
    assert secrets.value("A") == "1"


def test_names_are_those_that_have_a_value(secrets: Secrets) -> None:
    assert secrets.names() == ("OPENAI_API_KEY",)
