"""Which names stand for secrets."""

from __future__ import annotations

from turnfold.core.config.layers import Config
from turnfold.core.config.secret_names import secret_names
from turnfold.core.config.tables import Exporter, McpServer, Sandbox, Server
from turnfold.core.config.values import Provider, SecretRef
from turnfold.core.json import JsonObject

OWN = ("OPENAI_API_KEY", "OPENROUTER_API_KEY")  # of the providers that are there by default


def test_the_names_that_settings_refer_to_and_those_that_a_glob_fits() -> None:
    pairs = JsonObject.of(A=JsonObject.of(secret="PAIR"), B="text", C=JsonObject.of(other="X"))
    config = Config(
        providers=(Provider(name="p", secret=SecretRef("P_REF"), headers=pairs),),
        mcp=(McpServer(name="m", environment=JsonObject.of(A=JsonObject.of(secret="M_ENV")), headers=pairs),),
        exporters=(Exporter(name="e", headers=JsonObject.of(A=JsonObject.of(secret="E_HEAD"))),),
        server=Server(secret=SecretRef("S_REF")),
        sandbox=Sandbox(secrets=("mine_*",)),
    )
    names = secret_names(config, ("MINE_1", "OTHER_KEY", "PAIR"))
    assert sorted(names) == sorted((*OWN, "P_REF", "PAIR", "M_ENV", "E_HEAD", "S_REF", "MINE_1"))


def test_without_globs_only_references_count() -> None:
    assert secret_names(Config(sandbox=Sandbox(secrets=())), ("A_KEY",)) == OWN


def test_by_default_variables_count_that_are_called_like_secrets() -> None:
    called = ("GITHUB_TOKEN", "db_password", "AWS_SECRET_ACCESS_KEY")
    assert secret_names(Config(), (*called, "PATH", "KEYBOARD", "TOKENIZER")) == (*OWN, *called)
