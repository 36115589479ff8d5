"""Reading scripts: every command counts, wherever it stands; what may mean something else to bash is unread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnfold.core.world.bash.reading import JOINED, MAX_BYTES, read_script
from turnfold.core.world.bash.script import Assignment, Redirection, Way, quoted

X = None  # a word that bash computes


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("", []),
        ("# only a comment", []),
        ("ls", [("ls",)]),
        ("ls -l;pwd\nid&who", [("ls", "-l"), ("pwd",), ("id",), ("who",)]),
        ("a && b || c | d |& e", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("! a", [("a",)]),
        ("(a; b) > f", [("a",), ("b",)]),
        ("{ a; b; }", [("a",), ("b",)]),
        ("a $(b $(c `d`))", [("a", X), ("b", X), ("c", X), ("d",)]),
        ('a "$(b "$(c)")"', [("a", X), ("b", X), ("c",)]),
        ("a <(b) >(c)", [("a", X, X), ("b",), ("c",)]),
        ("a '$(b)' \"\\$(b)\" \\`b\\`", [("a", "$(b)", "$(b)", "`b`")]),
        ("if a; then b; elif c; then d; else e; fi", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("while a; do b; done", [("a",), ("b",)]),
        ("until a; do b; done < f", [("a",), ("b",)]),
        ("for i in x $(a); do b $i; done", [("a",), ("b", X)]),
        ("select i in x; do b; done", [("b",)]),
        ("case $(a) in x|y) b;; *) c;; esac", [("a",), ("b",), ("c",)]),
        ("a=1 b='x y' c", [("c",)]),
        ("a=$(b)", [("b",)]),
        ("a=(1 $(b))", [("b",)]),
        ("export A=1 B=$(c)", [("export", "A=1", X), ("c",)]),
        ("unset a", [("unset", "a")]),
        ("cat <<'E'\n$(rm x)\nE\nls", [("cat",), ("ls",)]),
        ("cat <<-E | a && b\n\thi\n\tE\nls", [("cat",), ("a",), ("b",), ("ls",)]),
        ('cat <<< "$(a)"', [("cat",), ("a",)]),
        ("echo hi # $(rm x)\nls", [("echo", "hi"), ("ls",)]),
        ("echo a#b 'c'#d", [("echo", "a#b", "c#d")]),
        ("echo $'a\\n\\x41\\101\\u00e9\\'b'", [("echo", "a\nAA\u00e9'b")]),
        ("echo $'\\xff' $'\\0' $'\\cA'", [("echo", X, X, X)]),
        ("a\\ b 'c'\"d\"e\\;", [("a b", "cde;")]),
        ('echo "a\\"b\\\\c\\d $"', [("echo", 'a"b\\c\\d $')]),
        ('echo "a\\\nb"', [("echo", "ab")]),  # see JOINED: unread, but seen
        ("g\\it st''atus", [("git", "status")]),
        ("ls \\\n  -l", [("ls", "-l")]),
        ("ls *.py a? [ab] ~ ~/x {a,b} {1..3} x=~/y", [("ls", X, X, X, X, X, X, X, X)]),
        ("find . -name '{}' {} \\;", [("find", ".", "-name", "{}", "{}", ";")]),
        ('echo $x ${x} ${x:-y} ${#x} ${x%.py} $1 $@ $? $$ "$x y"', [("echo", *[X] * 10)]),
        ("echo $((1 + 2))", [("echo", X)]),
        ('[ -f x ] && [[ -n "$a" ]] && b', [("b",)]),
        ("> f", []),
        ("2>/dev/null ls > f -l", [("ls", "-l")]),
        ("ls > f -l -a", [("ls", "-l", "-a")]),
        ("sudo -u me ls -l", [("sudo", "-u", "me", "ls", "-l"), ("ls", "-l")]),
        (
            "env -i A=1 nice -n 5 timeout -k 1 9 nohup ls",
            [
                ("env", "-i", "A=1", "nice", "-n", "5", "timeout", "-k", "1", "9", "nohup", "ls"),
                ("nice", "-n", "5", "timeout", "-k", "1", "9", "nohup", "ls"),
                ("timeout", "-k", "1", "9", "nohup", "ls"),
                ("nohup", "ls"),
                ("ls",),
            ],
        ),
        ("time -p ls", [("time", "-p", "ls"), ("ls",)]),
        ("time -- ls", [("time", "--", "ls"), ("ls",)]),
        ("a | xargs -0 -n1 rm -f", [("a",), ("xargs", "-0", "-n1", "rm", "-f"), ("rm", "-f", X)]),
        ("a | xargs -I{} cp {} x{}", [("a",), ("xargs", "-I{}", "cp", "{}", "x{}"), ("cp", X, X)]),
        ("a | xargs", [("a",), ("xargs",)]),
        (
            "find . -exec grep -l a {} + -o -exec rm {} \\;",
            [
                ("find", ".", "-exec", "grep", "-l", "a", "{}", "+", "-o", "-exec", "rm", "{}", ";"),
                ("grep", "-l", "a", X),
                ("rm", X),
            ],
        ),
        ("bash -c 'a; b'", [("bash", "-c", "a; b"), ("a",), ("b",)]),
        ("sh -euc 'a' x", [("sh", "-euc", "a", "x"), ("a",)]),
        ("bash --norc -o pipefail -c a", [("bash", "--norc", "-o", "pipefail", "-c", "a"), ("a",)]),
        ("bash script.sh -c", [("bash", "script.sh", "-c")]),
        ("eval 'a;' b", [("eval", "a;", "b"), ("a",), ("b",)]),
        ("trap 'rm x' EXIT; trap - INT; trap", [("trap", "rm x", "EXIT"), ("rm", "x"), ("trap", "-", "INT"), ("trap",)]),
        (
            "command -v ls; command ls; builtin cd x",
            [("command", "-v", "ls"), ("command", "ls"), ("ls",), ("builtin", "cd", "x"), ("cd", "x")],
        ),
        ("exec ls", [("exec", "ls"), ("ls",)]),
        (
            "stdbuf -oL --output=L setsid -wf ionice -c2 ls",
            [
                ("stdbuf", "-oL", "--output=L", "setsid", "-wf", "ionice", "-c2", "ls"),
                ("setsid", "-wf", "ionice", "-c2", "ls"),
                ("ionice", "-c2", "ls"),
                ("ls",),
            ],
        ),
        ("nice -10 ls", [("nice", "-10", "ls"), ("ls",)]),
        ("alias ls='rm x'", [("alias", "ls=rm x")]),
        ("python --version; python x.py; node -v", [("python", "--version"), ("python", "x.py"), ("node", "-v")]),
    ],
)
def test_commands(script: str, commands: list[tuple[str | None, ...]]) -> None:
    read = read_script(script)
    assert [each.words for each in read.commands] == commands
    joined = "\\\n" in script and " \\\n" not in script
    assert bool(read.unread) is joined
    assert not any(each.unread for each in read.commands)


@pytest.mark.parametrize(
    "script",
    [
        "echo 'unclosed",
        'echo "unclosed',
        "echo `unclosed",
        "echo $(unclosed",
        "if a",
        "a |",
        "a ; ; b",
        ";",
        ")",
        "a & & b",
        "echo a\r\nls",
        "echo\u00a0a",
        "echo\u2003a",
        "echo a\x0bb",
        "echo \u202eb",
        "\ud800",
        "ec\\\nho a",
        'echo "$\\\n(rm x)"',
        "echo \\$(date)",
        "f() { ls; }",
        "function f { ls; }",
        "for ((i=0;i<3;i++)); do a; done",
        "((i++))",
        "echo $((i))",
        "echo $((a[$(id)]))",
        "echo $[1+i]",
        "echo ${x@P}",
        "echo ${!x}",
        "echo ${x:=y}",
        "echo ${x:1}",
        "echo ${x[$(id)]}",
        "echo ${x:-$(id)}",
        "a[$(id)]=1",
        "a[1]=2",
        "[[ $x -eq 1 ]]",
        "[[ -v a[$(id)] ]]",
        "[[ a > b ]]",
        "[ a ] b ]",
        "echo `a \\`b\\``",
        "a=`if ! b=`c d` e; then :; fi`f",
        "cat <<A <<B\na\nA\nb\nB",
        "cat <<A\n$(id)\nA",
        "cat <<A\n`id`\nA",
        "cat <<A\nno end",
        "cat <<\\A\nx\nA",
        "cat <<A 'x\nA\nid'\nA",
        "cat <<'A' >|b c\nx\nA",
        "x=$(cat <<A\nhi\nA\n)",
        "{}",
        '!"a"',
        "{fd}>f",
        "a {fd}>f",
        "if';  a #'\nb; then :; fi",
        "?a=1",
        "*A=$(b)#a",
        ">& --f",
        '>& \\"c',
        "a <&--22",
        "{ echo a; } > f b",
        "a\x00b",
        "coproc { a; }",
        "a <>$(",
        'x "\ud800"',
        "echo a$",
        "time -p -p a; '",
        "a=(1 2",
        "a && (",
        "a=(b # c\n)",
        '\\>>c`c`"$x"',
        'echo "a ${x@P}"',
    ],
)
def test_unread(script: str) -> None:
    assert read_script(script).unread


@pytest.mark.parametrize(
    "script",
    [
        "$x -rf .",
        "$(a) b",
        "sudo $x",
        "timeout $x ls",
        "nice -n $x ls",
        "sudo --weird ls",
        "sudo -u",
        "env -S 'a b'",
        "xargs -I{} sh -c '{}'",
        "eval $x",
        'eval "rm $x"',
        "trap $x EXIT",
        "bash -c $x",
        "bash",
        "bash -s",
        "bash --rcfile x -c ls",
        "a | sh",
        "curl x | python3",
        "perl",
        "node -",
        "find $x -delete",
        "find . -exec",
        "coproc ls",
        "time A=1 ls",
        "time [[ a ]]",
        "time -p -p a",
        'bash -c \'bash -c "bash -c \\"eval eval eval eval eval eval eval ls\\""\'',
    ],
)
def test_a_command_that_can_be_read_but_not_what_it_runs(script: str) -> None:
    assert any(each.unread for each in read_script(script).commands)


@pytest.mark.parametrize(
    ("script", "way", "target"),
    [
        ("a > f", Way.WRITE, "f"),
        ("a >> 'f g'", Way.WRITE, "f g"),
        ("a &> f", Way.WRITE, "f"),
        ("a &>> f", Way.WRITE, "f"),
        ("a >| f", Way.WRITE, "f"),
        ("a >& f", Way.WRITE, "f"),
        ("a 2> f", Way.WRITE, "f"),
        ("a < f", Way.READ, "f"),
        ("a > $x", Way.WRITE, None),
        ("a > f*", Way.WRITE, None),
        ("cat <<A > f\nx\nA", Way.WRITE, "f"),
        ("(a) > f", Way.WRITE, "f"),
        ("> f", Way.WRITE, "f"),
        ("bash -c 'a > f'", Way.WRITE, "f"),
        ("echo $(a > f)", Way.WRITE, "f"),
    ],
)
def test_redirections(script: str, way: Way, target: str | None) -> None:
    read = read_script(script)
    assert [(each.way, each.target) for each in read.redirections] == [(way, target)]
    assert not read.unread


def test_what_opens_no_file_is_no_redirection() -> None:
    for script in ("a 2>&1", "a >&2", "a 2>&-", "a <&-", "a <&3-", "a <<< x"):
        assert read_script(script).redirections == ()
        assert not read_script(script).unread, script


def test_assignments() -> None:
    read = read_script("A=1; b=$x c+=d; e=(1 2); for f in g; do h; done; i=")
    assert [(each.name, each.value) for each in read.assignments] == [
        ("A", "1"),
        ("b", None),
        ("c", None),
        ("e", None),
        ("f", None),
        ("i", ""),
    ]
    assert not read.unread
    command = read_script("A=1 B=$x ls").commands[0]
    assert [(each.name, each.value) for each in command.environment] == [("A", "1"), ("B", None)]
    assert not command.known
    assert read_script("A=1 env B=2 ls").commands[1].environment == (
        Assignment(name="A", value="1", source="A=1"),
        Assignment(name="B", value="2"),
    )


def test_what_is_unread_still_tells_the_commands_that_were_seen() -> None:
    read = read_script("f() { rm x; }; echo $((i)) $(rm y); 'unclosed")
    assert read.unread
    assert ("rm", "x") in [each.words for each in read.commands]


def test_a_script_that_is_too_long_is_unread() -> None:
    assert read_script("ls;" * (MAX_BYTES // 3 + 1)).unread
    assert read_script("(((" * 3000).unread
    assert read_script("a;" * 25_000).unread  # too many nodes
    assert not read_script("a && " * 1500 + "b").unread


def test_a_command_in_one_spelling() -> None:
    command = read_script("A='x y' git  'com'mit -m \"it's\"").commands[0]
    assert command.text == "A='x y' git commit -m 'it'\\''s'"
    assert read_script("git  $x").commands[0].text == "git $x"
    assert read_script("a > f").redirections == (Redirection(Way.WRITE, "f", "> f"),)


@given(st.text())
def test_reading_is_total(text: str) -> None:
    read_script(text)


@given(
    st.lists(
        st.sampled_from(
            "a b ' \" $ ( ) ` \\ \n ; & | < > { } [ ] # ! = ~ * << EOF \nEOF\n $(( ${ if then fi do done case esac in for time".split(" ")
        ),
        max_size=12,
    )
)
def test_reading_is_total_over_what_bash_means_something_by(parts: list[str]) -> None:
    read_script("".join(parts))
    read_script(" ".join(parts))


WORD = st.text(alphabet=st.sampled_from("ab1 '\"$`\\;&|<>(){}*?[]~#!\n-é"), min_size=1, max_size=8)


@given(st.lists(WORD, min_size=1, max_size=4), st.data())
def test_every_way_of_quoting_gives_the_same_words(words: list[str], data: st.DataObject) -> None:
    spelled = " ".join(data.draw(st.sampled_from((quoted, _double)))(word) for word in words)
    read = read_script(f"run {spelled}")
    assert [each.words for each in read.commands] == [("run", *words)], spelled
    assert not read.unread or JOINED.search(spelled)


@given(st.lists(WORD, min_size=1, max_size=4), st.data())
def test_other_ways_give_the_same_words_where_they_are_read(words: list[str], data: st.DataObject) -> None:
    read = read_script(" ".join(("run", *(data.draw(st.sampled_from((_escaped, _ansi)))(word) for word in words))))
    assert read.unread or [each.words for each in read.commands] == [("run", *words)]


def _double(word: str) -> str:
    return '"' + "".join(f"\\{each}" if each in '"$`\\' else each for each in word) + '"'


def _escaped(word: str) -> str:
    return "".join("'\n'" if each == "\n" else each if each.isalnum() and each.isascii() else f"\\{each}" for each in word)


def _ansi(word: str) -> str:
    return "$'" + "".join("\\n" if each == "\n" else f"\\{each}" if each in "'\\" else each for each in word) + "'"
