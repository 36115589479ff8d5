"""The JSON Schema of config files: it takes what the reader takes, and refuses what the reader refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tests.core.codec.settings_files import FILES, marred
from turnfold.core.codec.json_schema import settings_schema
from turnfold.core.codec.settings import read_file_untrusted, read_settings_untrusted
from turnfold.core.json import JsonObject, freeze, thaw

SCHEMA = cast(Mapping[str, object], thaw(settings_schema()))
VALIDATOR = Draft202012Validator(SCHEMA)


def schema_takes(file: object) -> bool:
    return bool(VALIDATOR.is_valid(file))


def reader_takes(file: object) -> bool:
    frozen = freeze(file)
    assert isinstance(frozen, JsonObject)
    return read_settings_untrusted(frozen, "c", "user").map(lambda _: True).value_or(False)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(FILES)
def test_it_takes_what_the_reader_takes(file: dict[str, object]) -> None:
    assert reader_takes(file)
    assert schema_takes(file)


@given(marred())
def test_it_refuses_what_the_reader_refuses(file: dict[str, object]) -> None:
    assert schema_takes(file) == reader_takes(file)


@pytest.mark.parametrize(
    "file",
    [
        {"modle": "a/b"},
        {"limits": {"usb": 1}},
        {"limits": {"usd": -1}},
        {"limits": {"command_s": 0}},
        {"temperature": 3},
        {"tool_format": "yaml"},
        {"tools": ["a", "-b"]},
        {"rules": [{"kind": "run"}]},
        {"providers": {"a/b": {}}},
        {"providers": {"a": {"secret": "sk-1"}}},
        {"environment": {"A": 1}},
        {"defaults": ["tools"]},
    ],
)
def test_what_both_refuse(file: dict[str, object]) -> None:
    assert not schema_takes(file)
    assert not reader_takes(file)


def test_extends_is_of_files_only() -> None:
    assert schema_takes({"extends": "a.toml"})
    assert schema_takes({"extends": ["a.toml"]})
    assert not schema_takes({"extends": [""]})
    assert read_file_untrusted("extends = 'a.toml'", "c", "user").unwrap().extends == ("a.toml",)


def test_it_says_what_settings_mean() -> None:
    properties = settings_schema()["properties"]
    assert isinstance(properties, JsonObject)
    text = str(properties)
    assert "from a project's file only in a folder that you trust" in text
    assert "nothing uses it before there is: the server" in text
    port = thaw(properties)["server"]["properties"]["port"]  # type: ignore[index]  # a test reads it as it is
    assert (port["default"], port["minimum"], port["maximum"]) == (5700, 0, 65535)
