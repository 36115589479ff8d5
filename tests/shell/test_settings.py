"""Settings from this machine's files: where they are, how they lie over one another, and everything that a file can be instead."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from turnfold.core.config.layers import Config, Overrides, ProjectConfig
from turnfold.core.config.missing import MISSING
from turnfold.core.config.values import Rule, Verdict
from turnfold.shell.folders import Folders, find_folders
from turnfold.shell.settings import Settings, load_settings, local_of, project_file
from turnfold.shell.trust import trust


def folders(tmp_path: Path) -> Folders:
    return Folders(config=tmp_path / "config", data=tmp_path / "data", cache=tmp_path / "cache")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(tmp_path: Path, environ: dict[str, str] | None = None) -> Settings:
    read = load_settings(folders(tmp_path), tmp_path / "project", environ or {})
    assert isinstance(read, Settings), read
    return read


def faults(tmp_path: Path) -> list[str]:
    read = load_settings(folders(tmp_path), tmp_path / "project", {})
    assert isinstance(read, tuple), read
    return [problem.message for problem in read]


def test_settings_come_from_all_places_and_reading_writes_nothing(tmp_path: Path) -> None:
    work = tmp_path / "project" / "sub"
    work.mkdir(parents=True)
    nothing = load_settings(folders(tmp_path), work, {})
    assert nothing == Settings(project=ProjectConfig(Config()), files=())
    assert not (tmp_path / "config").exists()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_bytes(b"\xef\xbb\xbfmodel = 'u/u'\r\nmax_tokens = 1\r\n")
    (tmp_path / "project" / ".turnfold").mkdir()
    (tmp_path / "project" / ".turnfold" / "config.toml").write_text("model = 'p/p'\n[[rules]]\nverdict = 'ask'", encoding="utf-8")
    read = load_settings(folders(tmp_path), work, {"TURNFOLD_TEMPERATURE": "1", "OTHER": "x"})
    assert isinstance(read, Settings)
    assert (read.project.model, read.project.max_tokens, read.project.temperature) == ("p/p", 1, 1.0)
    assert read.project.rules == (Rule(Verdict.ASK),)
    assert len(read.files) == 2
    (tmp_path / "project" / "turnfold.toml").write_text("model = 'q/q'", encoding="utf-8")
    again = load_settings(folders(tmp_path), work, {"TURNFOLD_MODEL": "e/e"})
    assert isinstance(again, Settings)
    assert (again.project.model, again.project.own_model, again.files[1].name) == ("e/e", MISSING, "turnfold.toml")


def _folder(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    path.write_bytes(b"#" * 10_000_000)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _binary(path: Path) -> None:
    path.write_bytes(b"# fine\n\xff\xfe")


def _half(path: Path) -> None:
    path.write_text('model = "a/b"\ntools = ["read", "sh')


def _nul(path: Path) -> None:
    path.write_bytes(b"model = 'a\0b'")


def _deep(path: Path) -> None:
    path.write_text("[parameters]\na = " + "[" * 900_000)


def _twice(path: Path) -> None:
    path.write_text("model = 'a/b'\nmodel = 'c/d'\n")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_folder, "is a folder where a config file should be"),
        (_huge, "has 10,000,000 bytes"),
        (_half, ":2: this is not TOML"),
        (_nul, ":1: this is not TOML"),
        (_deep, "nested too deeply"),
        (_twice, ":2: model is set twice in this file"),
        (_fifo, "is no ordinary file"),
        (_binary, ":2: this is not UTF-8 text"),
        (_dangling, "a link that leads nowhere"),
        (_loop, "can't be read"),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_config_file_that_is_none_is_one_sentence(tmp_path: Path, make: object, words: str, own: bool) -> None:
    assert callable(make)
    (tmp_path / "config").mkdir()
    make(tmp_path / "config" / "config.toml" if own else tmp_path / "turnfold.toml")
    told = load_settings(folders(tmp_path), tmp_path, {})
    assert isinstance(told, tuple)
    assert len(told) == 1
    assert words in told[0].message
    assert told[0].code == "bad-settings"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_config_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").touch(mode=0)
    told = load_settings(folders(tmp_path), tmp_path, {})
    assert isinstance(told, tuple)
    assert "mend its permissions" in told[0].message


def test_faults_of_the_environment_are_told(tmp_path: Path) -> None:
    told = load_settings(folders(tmp_path), tmp_path, {"TURNFOLD_TEMPERATURE": "hot"})
    assert isinstance(told, tuple)
    assert told[0].message.startswith("TURNFOLD_TEMPERATURE")


def test_layers_lie_over_one_another_file_by_file(tmp_path: Path) -> None:
    write(
        tmp_path / "config" / "config.toml",
        "model = 'u/u'\nmax_tokens = 1\ntemperature = 1\nfallbacks = ['u']\n[limits]\nturns = 1\nusd = 1\n",
    )
    write(tmp_path / "config" / "config.local.toml", "max_tokens = 2\nfallbacks = ['ul']\n[limits]\nusd = 2\n")
    write(tmp_path / "project" / "turnfold.toml", "temperature = 0.3\nfallbacks = ['p']\n")
    write(tmp_path / "project" / "turnfold.local.toml", "fallbacks = ['pl']\n")
    read = load(tmp_path, {"TURNFOLD_INSTRUCTIONS": "e"})
    project = read.project
    assert (project.model, project.max_tokens, project.temperature, project.fallbacks) == ("u/u", 2, 0.3, ("pl",))
    assert (project.limits.turns, project.limits.usd, project.instructions) == (1, 2.0, "e")
    assert [file.name for file in read.files] == ["config.local.toml", "config.toml", "turnfold.local.toml", "turnfold.toml"]
    assert [layer.origin.layer for layer in (*project.variables, *project.files, *project.base.files)] == [
        "environment",
        "project",
        "project",
        "user",
        "user",
    ]


def test_what_is_shipped_lies_at_the_bottom(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "model = 'u/u'")
    shipped = Overrides(model="s/s", max_tokens=7)
    read = load_settings(folders(tmp_path), tmp_path, {}, (shipped,))
    assert isinstance(read, Settings)
    assert (read.project.model, read.project.max_tokens) == ("u/u", 7)


def test_the_file_of_the_nearest_folder_counts_and_its_private_one_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "turnfold.toml", "model = 'far/far'")
    near = write(tmp_path / "project" / ".turnfold" / "config.toml", "model = 'near/near'")
    assert project_file(tmp_path / "project" / "sub") == near
    write(tmp_path / "project" / ".turnfold" / "config.local.toml", "model = 'own/own'")
    assert load(tmp_path).project.model == "own/own"
    assert local_of(near).name == "config.local.toml"


def test_a_private_file_alone_is_no_project_and_yours_counts_alone(tmp_path: Path) -> None:
    write(tmp_path / "project" / "turnfold.local.toml", "model = 'p/p'")
    write(tmp_path / "config" / "config.local.toml", "model = 'u/u'")
    assert load(tmp_path).project.model == "u/u"


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for place in ("config/config.toml", "config/config.local.toml", "project/turnfold.toml", "project/turnfold.local.toml"):
        write(tmp_path / place, "modle = 1\ntemperature = 'x'\n")
    told = load_settings(folders(tmp_path), tmp_path / "project", {"TURNFOLD_MAX_TOKENS": "x"})
    assert isinstance(told, tuple)
    assert len(told) == 9
    assert len({problem.message.split(":")[0] for problem in told}) == 5


def test_the_faults_of_what_a_broken_file_extends_are_told_too(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "extends = ['a.toml', 'none.toml']\nmodle = 1\n")
    write(tmp_path / "config" / "a.toml", "model = 1")
    told = faults(tmp_path)
    assert [message.split(":")[0].rpartition("/")[2] for message in told] == [
        "config.toml",
        "none.toml, and there is no such file.",
        "a.toml",
    ]


def test_a_file_lies_over_those_that_it_extends_and_a_later_one_over_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "extends = ['a.toml', 'deep/b.toml']\nmodel = 'top/x'\n")
    write(tmp_path / "config" / "a.toml", "model = 'a/x'\nfallbacks = ['a']\nmax_tokens = 1\n")
    write(tmp_path / "config" / "deep" / "b.toml", "extends = '../c.toml'\nmodel = 'b/x'\nfallbacks = ['b']\n")
    write(tmp_path / "config" / "c.toml", "max_tokens = 3\ntemperature = 1\n")
    project = load(tmp_path).project
    assert (project.model, project.fallbacks, project.max_tokens, project.temperature) == ("top/x", ("b",), 3, 1.0)


def test_a_file_may_extend_one_in_your_home(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "extends = '~/shared.toml'")
    write(tmp_path / "home" / "shared.toml", "model = 'a/b'")
    assert load(tmp_path, {"HOME": str(tmp_path / "home")}).project.model == "a/b"
    (told,) = faults(tmp_path)
    assert told.endswith("extends '~/shared.toml', but there is no home folder: write the whole path.")


def test_what_can_not_be_extended_is_told_with_the_chain(tmp_path: Path) -> None:
    own = write(tmp_path / "config" / "config.toml", "extends = ['a.toml', 'none.toml', \"self\\u0000.toml\", 'sub']")
    write(tmp_path / "config" / "a.toml", "extends = 'config.toml'")
    (tmp_path / "config" / "sub").mkdir()
    told = sorted(faults(tmp_path), key=len)
    assert len(told) == 4
    assert any(f"{own} extends {own.parent / 'none.toml'}, and there is no such file." == each for each in told)
    assert any("leads back to itself" in each and "config.toml → " in each and "a.toml → " in each for each in told)
    assert any("is no name that a file can have" in each for each in told)
    assert any("is a folder where a config file should be" in each for each in told)


def test_a_chain_has_an_end(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "extends = 'f0.toml'")
    for index in range(30):
        write(tmp_path / "config" / f"f{index}.toml", f"extends = 'f{index + 1}.toml'")
    (told,) = faults(tmp_path)
    assert "extends too many files, 16 in a row or 100 in all at most: config.toml → f0.toml" in told


def test_a_tree_has_an_end_too(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", f"extends = {['f0.toml'] * 9}")
    for index in range(14):
        write(tmp_path / "config" / f"f{index}.toml", f"extends = {[f'f{index + 1}.toml'] * 9}")
    write(tmp_path / "config" / "f14.toml", "")
    assert 0 < len(faults(tmp_path)) < 20


def test_a_project_extends_what_is_in_it_and_more_where_it_is_trusted(tmp_path: Path) -> None:
    file = write(tmp_path / "project" / "turnfold.toml", "extends = ['in.toml', '../out.toml']\nmax_tokens = 1\n")
    write(tmp_path / "project" / "in.toml", "temperature = 1\n[[rules]]\nverdict = 'allow'\n")
    write(tmp_path / "out.toml", "model = 'out/out'")
    read = load(tmp_path)
    assert (read.project.model, read.project.temperature, read.project.rules) == ("", 1.0, ())
    assert [problem.path for problem in read.withheld] == ["$.extends", "$.rules[0]"]
    assert read.withheld[0].message.startswith(f"{file}: '../out.toml', which it extends, is not in the project, and is left out")
    assert trust(folders(tmp_path), tmp_path / "project") is None
    again = load(tmp_path)
    assert (again.project.model, again.project.rules, again.withheld) == ("out/out", (Rule(Verdict.ALLOW),), ())


def test_a_link_out_of_the_project_is_out_of_it(tmp_path: Path) -> None:
    write(tmp_path / "project" / "turnfold.toml", "extends = 'link.toml'")
    (tmp_path / "project" / "link.toml").symlink_to(write(tmp_path / "out.toml", "model = 'a/b'"))
    read = load(tmp_path)
    assert (read.project.model, len(read.withheld)) == ("", 1)


def test_a_provider_of_yours_is_not_moved_by_a_project(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "[providers.mine]\nbase_url = 'http://mine/v1'\nsecret = 'K'")
    write(
        tmp_path / "project" / "turnfold.toml",
        "[providers.mine]\nbase_url = 'http://127.0.0.1:9/v1'\n[providers.new]\nbase_url = 'http://127.0.0.1:9/v1'",
    )
    read = load(tmp_path)
    assert [(each.name, each.base_url) for each in read.project.providers][:2] == [
        ("new", "http://127.0.0.1:9/v1"),
        ("mine", "http://mine/v1"),
    ]
    assert [problem.path for problem in read.withheld] == ["$.providers.mine"]


def test_a_damaged_file_of_trusted_folders_trusts_nothing_and_is_told(tmp_path: Path) -> None:
    write(tmp_path / "data" / "trusted.json", "{")
    write(tmp_path / "project" / "turnfold.toml", "roots = ['/x']")
    read = load(tmp_path)
    assert (read.project.roots, len(read.withheld)) == ((), 2)
    assert "it is damaged" in read.withheld[0].message


def test_without_a_home_nothing_is_there_and_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> object:
        raise KeyError

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    found = find_folders({})
    assert all(path.is_absolute() for path in (found.config, found.data, found.cache))
    assert load_settings(found, tmp_path, {}) == Settings(project=ProjectConfig(Config()), files=())


def test_what_may_not_be_read_is_a_problem_and_no_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "config" / "config.toml", "")

    def denied(path: Path, *args: object, **kwargs: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", denied)
    told = load_settings(folders(tmp_path), tmp_path, {})
    assert isinstance(told, tuple)
    assert all("(Permission denied): mend its permissions" in problem.message for problem in told)


def test_reading_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "config" / "config.toml", "extends = 'a.toml'")
    write(tmp_path / "config" / "a.toml", "")
    write(tmp_path / "project" / "turnfold.toml", "roots = ['/x']")
    before = sorted((path, path.stat().st_mtime_ns, stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.rglob("*"))
    load(tmp_path, {"TURNFOLD_MODEL": "a/b"})
    assert sorted((path, path.stat().st_mtime_ns, stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.rglob("*")) == before
