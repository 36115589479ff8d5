"""Forms that do more than their name says, and their neighbours that don't."""

from __future__ import annotations

import pytest

from turnfold.core.world.bash.reading import read_script
from turnfold.core.world.dangers import danger


@pytest.mark.parametrize(
    "script",
    [
        "git -c alias.x='!id' x",
        "git --exec-path=/x status",
        "git --git-dir=/x status",
        "git -C a -c b=c d",
        "git log --output=x",
        "git clone ext::sh x",
        "git grep -Oless x",
        "git fetch --upload-pack=x",
        "git commit -am x",
        "git commit --all",
        "git push -f",
        "git push origin +main",
        "git push origin :main",
        "git PUSH --force-with-l",
        "git add .",
        "git clean",
        "git reset --hard",
        "git bisect run x",
        "GIT push -f",
        "/usr/bin/git push -f",
        "find . -exec x ';'",
        "find . -delete",
        "find . -fprint x",
        "tar --to-command=x -xf a",
        "tar --to-com=x -xf a",
        "tar -xIx a",
        "sort -no x",
        "sort --compress-p=x",
        "rg --pre=x a",
        "curl -o x http://a",
        "wget --post-file=x a",
        "make SHELL=x",
        "make -f x",
        "sed -i s/a/b/ x",
        "sed -e 's/a/b/e' x",
        "sed '1e id' x",
        "awk 'BEGIN{system(\"id\")}'",
        "python -c x",
        "python -Ic x",
        "perl -ne x",
        "node --eval x",
        "bash -lc x",
        "chmod 777 x",
        "chmod -R a+rwx x",
        "chmod o+w x",
        "rm -r /",
        "rm -rf .",
        "rm ../x",
        "cp a /etc",
        "tee /etc/x",
        "kill -9 -1",
        "kill 1",
        "killall x",
        "mkfs.ext4 x",
        "ssh h ls",
        "docker run x",
        "source x",
        ". x",
    ],
)
def test_dangerous(script: str) -> None:
    assert danger(read_script(script).commands[0].words)


@pytest.mark.parametrize(
    "script",
    [
        "git",
        "git status",
        "git -C a status",
        "git --no-pager log",
        "git add a.py",
        "git commit --amend -m x",
        "git push origin main",
        "git reset --soft HEAD~1",
        "find . -name x",
        "tar -xf a",
        "sort -n x",
        "sort --",
        "sort -",
        "curl http://a",
        "make test",
        "sed s/a/b/ x",
        "awk '{print $1}' x",
        "python x.py -c",
        "python -m pytest -c x",
        "bash x.sh",
        "chmod 644 x",
        "chmod +x x",
        "rm x",
        "cp a b",
        "kill -9 77",
        "ls",
    ],
)
def test_usual(script: str) -> None:
    assert danger(read_script(script).commands[0].words) == ""
