"""The environment of commands: what they start with, and what a script's end says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import final

from attrs import frozen

from turnfold.core.config.values import Environment, Variable
from turnfold.shell.kin import MARK

Pairs = tuple[tuple[str, str], ...]

# fmt: off
ALLOWED = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TMPDIR", "TZ", "TZDIR", "NO_COLOR",
    "HOSTNAME", "VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT", "PYTHONDONTWRITEBYTECODE", "JAVA_HOME", "GOPATH",
    "GOROOT", "CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
))
# fmt: on
ALLOWED_PREFIXES = ("LC_", "XDG_")
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL")
VOLATILE = frozenset({"PWD", "OLDPWD", "SHLVL", "_", MARK})
VARIABLE_BYTES = 100_000  # Linux starts no program with a longer one (128 KiB), so keeping it would end all commands

DECLARED = re.compile(
    rb"(?:declare -[A-Za-z]+|export) ([A-Za-z_][A-Za-z0-9_]*)"
    rb"""(?:=(?:"((?:[^"\\]|\\.)*)"|\$'((?:[^'\\]|\\.)*)'))?\n""",
    re.DOTALL,
)
ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
ESCAPED = b"a\ab\bE\x1bf\fn\nr\rt\tv\v"  # letter, byte, letter, byte …


def base_environment(environ: Mapping[str, str]) -> Pairs:
    """What of ``environ`` a command may see: a list of harmless names, and nothing that is called like a secret.

    >>> base_environment({"PATH": "/bin", "OPENAI_API_KEY": "s3cret", "LC_ALL": "C", "AWS_PROFILE": "x"})
    (('LC_ALL', 'C'), ('PATH', '/bin'))
    """
    return tuple((name, environ[name]) for name in sorted(environ) if _allowed(name))


def _allowed(name: str) -> bool:
    return (name in ALLOWED or name.startswith(ALLOWED_PREFIXES)) and not any(word in name.upper() for word in SECRET_WORDS)


def laid_over(base: Pairs, environment: Environment) -> Mapping[str, str]:
    """``base`` with the variables of ``environment`` set, or removed, as a fresh mapping.

    >>> laid_over((("A", "1"), ("B", "2")), (Variable("A", None), Variable("C", "3")))
    {'B': '2', 'C': '3'}
    """
    said = {variable.name: variable.value for variable in environment}
    kept = {name: value for name, value in base if name not in said}
    return kept | {name: value for name, value in said.items() if value is not None}


@final
@frozen
class Report:
    """Where a script ended, and the variables that it exported."""

    cwd: str
    exported: tuple[tuple[str, str], ...]


def report_untrusted(data: bytes) -> Report | None:
    r"""The last whole report in ``data``: ``pwd``, a NUL, ``declare -px``, a NUL; None where there is none.

    >>> report_untrusted(b'/w\n\0declare -x A="1 \\""\ndeclare -x B\ndeclare -x C=$\'\\t\\377\'\n\0').exported
    (('A', '1 "'), ('C', '\t\udcff'))
    """
    parts = data.split(b"\0")
    whole = (len(parts) - 1) // 2
    if whole < 1:
        return None
    cwd, declared = parts[2 * whole - 2].removesuffix(b"\n"), parts[2 * whole - 1]
    found = DECLARED.finditer(declared)
    exported = ((match[1], _unquoted(match)) for match in found if match[2] is not None or match[3] is not None)
    return Report(_text(cwd), tuple((name.decode(), _text(value)) for name, value in exported))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _unquoted(match: re.Match[bytes]) -> bytes:
    """The value that a declaration spells, in double quotes or as ``$'…'``."""
    if (plain := match[2]) is not None:
        return re.sub(rb"\\(.)", rb"\1", plain, flags=re.DOTALL)
    return ESCAPE.sub(_escaped, match[3])


def _escaped(match: re.Match[bytes]) -> bytes:
    code: bytes = match[1]
    if code[:1].isdigit():
        return bytes((int(code, 8) & 0xFF,))
    place = ESCAPED[::2].find(code)
    return ESCAPED[2 * place + 1 : 2 * place + 2] if place >= 0 else code


def changes(base: Pairs, exported: Pairs) -> Environment:
    """What differs from ``base`` in ``exported``, by name; without what bash keeps for itself and what can't be kept.

    >>> changes((("A", "1"), ("B", "2")), (("A", "1"), ("C", "3"), ("PWD", "/w")))
    (Variable(name='B', value=None), Variable(name='C', value='3'))
    """
    before, after = dict(base), dict(exported)
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return tuple(Variable(name, after.get(name)) for name in names if not _volatile(name) and _kept(after.get(name)))


def _volatile(name: str) -> bool:
    return name in VOLATILE or name.startswith("BASH_")


def _kept(value: str | None) -> bool:
    """Whether a value can be stored (as UTF-8) and given to the next command."""
    if value is None:
        return True
    try:
        return len(value.encode("utf-8")) <= VARIABLE_BYTES
    except UnicodeEncodeError:
        return False
