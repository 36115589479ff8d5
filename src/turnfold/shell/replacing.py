"""Files replaced as one act: prepared beside the old ones, exchanged with them, and looked at once more before the old ones go.

One change goes through these states. *Prepared*: the old file is what is expected, and the new text is on the disk beside it, under a
name of its own. *In*: both have exchanged their names; the old file is looked at once more, and where it is not what was expected
(somebody was quicker than the exchange) both go back. *Settled*: the old file is removed. Of several changes all are prepared
before the first goes in, and all that are in go back where one fails; so at any moment each name stands for its whole old text or its
whole new one.

Who else may write to the file meanwhile, and nobody's text is lost: other processes of turnfold (a lock on the folder), programs that
replace the file by renaming (the exchange gives out what they put there), programs that open it and write, append included (a lease:
they wait, or are waited for; Linux, own files). Not: a program that has read the file before and writes all of it afterwards, by what
it then knew; only itself could look. Without leases or exchange, what is written between the last look and the renaming is not seen.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import final

from turnfold.core.json import scalar_text
from turnfold.core.problem import Problem, world_problem
from turnfold.core.world.requests import DeleteFile, WriteFile
from turnfold.shell.beneath import FOLDER, HERE, Place
from turnfold.shell.file_problems import PATH, RefusedError, changed, in_use, irregular, os_problem
from turnfold.shell.guarding import Lease, broken, lease, locked, release
from turnfold.shell.renaming import exchanged, take_name

KEPT = ".turnfold-kept"
LONGEST = 200  # bytes of a name that gets an ending


def replace_all(changes: tuple[tuple[Place, WriteFile | DeleteFile], ...]) -> tuple[str, ...]:
    """Make all of the changes or none; the digests of what is there then. Raises ``RefusedError`` and ``OSError``."""
    with ExitStack() as closing:
        works = tuple(closing.enter_context(contextlib.closing(Replacing(place, request))) for place, request in changes)
        for work in works:
            work.tried(work.enter)
        folders = {(status.st_dev, status.st_ino): work.folder for work in works for status in (os.fstat(work.folder),)}
        for key in sorted(folders):  # in one order, whoever locks
            closing.enter_context(locked(folders[key]))
        for work in works:
            work.tried(work.prepare)
        try:
            for work in works:
                work.tried(work.go_in)
            for work in works:
                work.look()
        except BaseException as error:
            left = " ".join(each for each in [work.go_back() for work in reversed(works)] if each)
            if left:
                reason = error.problem.message if isinstance(error, RefusedError) else str(error)
                raise RefusedError(world_problem("changed", f"{reason} {left}", PATH)) from error
            raise
        return tuple(work.settle() for work in works)


@final
class Replacing:
    """One file on its way to be replaced, made or removed. Whatever is not settled when it is closed is as it was."""

    __slots__ = ("_data", "_digest_after", "_held", "_in", "_made", "_name", "_new", "_old", "_place", "_request", "_temporary", "folder")

    def __init__(self, place: Place, request: WriteFile | DeleteFile) -> None:
        self._place = place
        self._name = place.name
        self._request = request
        self._data = scalar_text(request.text).encode("utf-8") if isinstance(request, WriteFile) else None
        self._digest_after = "" if self._data is None else hashlib.sha256(self._data).hexdigest()
        self._made: list[tuple[int, str]] = []  # folders of ours, as names in folders of these descriptors
        self._old: int | None = None  # a descriptor of the file that is replaced
        self._new: os.stat_result | None = None  # the file that replaces it
        self._held = Lease.NONE
        self._temporary = ""  # a name of ours in the folder
        self._in = False
        self.folder = os.dup(place.folder)

    def tried(self, act: Callable[[], None]) -> None:
        """``act`` done; what the system says against it is told of this file."""
        try:
            act()
        except OSError as error:
            raise RefusedError(os_problem(error, self._request.path, "written")) from error

    def enter(self) -> None:
        """Be in the file's folder, made where it is missing, with a descriptor that can be locked and synced."""
        if self._place.missing and self._request.expected_digest:
            raise RefusedError(changed(self._request.path, existed=True, exists=False))
        for name in self._place.missing if self._data is not None else ():
            self._go_down(name)
        with contextlib.suppress(PermissionError):  # a folder that may be changed, but not listed: then it is not locked
            readable = os.open(HERE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder)
            os.close(self.folder)
            self.folder = readable

    def _go_down(self, name: str) -> None:
        with contextlib.suppress(FileExistsError):  # somebody else made it just now
            os.mkdir(name, dir_fd=self.folder)
            self._made.append((os.dup(self.folder), name))
        below = os.open(name, FOLDER, dir_fd=self.folder)
        os.close(self.folder)
        self.folder = below

    def prepare(self) -> None:
        """See that the file is as expected, and put the new text beside it."""
        self._see_old()
        if self._same():
            return
        if self._old is not None and not os.access(self._name, os.W_OK, dir_fd=self.folder):
            raise PermissionError(errno.EACCES, "read-only")
        if self._data is not None:
            self._put_beside(self._data)
        if self._old is not None:
            self._held = lease(self._old)
            if self._held is Lease.BUSY:
                raise RefusedError(in_use(self._request.path))
            self._expect(digest_of(self._old))

    def _see_old(self) -> None:
        """The file that is there opened, and seen to be as expected."""
        try:
            status = os.stat(self._name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return self._expect("")
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(irregular(self._request.path, status.st_mode))
        self._old = self._opened(self._name)
        return self._expect(digest_of(self._old))

    def _opened(self, name: str) -> int:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.folder)

    def _expect(self, digest: str) -> None:
        if digest != self._request.expected_digest:
            raise RefusedError(self._changed(exists=bool(digest)))

    def _changed(self, *, exists: bool = True) -> Problem:
        return changed(self._request.path, existed=bool(self._request.expected_digest), exists=exists)

    def _same(self) -> bool:
        """Whether there is nothing to do."""
        return self._digest_after == self._request.expected_digest

    def _put_beside(self, data: bytes) -> None:
        """``data`` under a name of its own, on the disk, with the old file's mode, owner and attributes."""
        for name in self._free_names():
            with contextlib.suppress(FileExistsError):  # left over from a crash, or another machine's
                descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=self.folder)
                break
        else:
            raise FileExistsError(errno.EEXIST, "no free name for a temporary file")
        self._temporary = name
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if self._old is not None:
                liken(descriptor, self._old)
            os.fsync(descriptor)
            self._new = os.fstat(descriptor)

    @staticmethod
    def _free_names() -> Iterator[str]:
        return (f".turnfold-{os.getpid()}-{threading.get_native_id()}-{attempt}" for attempt in range(1000))

    def go_in(self) -> None:
        """Exchange the names, and see that what came out is what was expected."""
        if self._same():
            return
        try:
            self._exchange()
        except FileNotFoundError as error:
            raise RefusedError(self._changed(exists=False)) from error
        except FileExistsError as error:
            raise RefusedError(self._changed()) from error
        if self._old is not None and self._temporary and self._digest_now(self._temporary) != self._request.expected_digest:
            raise RefusedError(self._changed())

    def _exchange(self) -> None:
        if self._old is None:
            take_name(self.folder, self._temporary, self._name)
            self._temporary = ""
        elif self._data is None:
            self._take_out()
        elif not exchanged(self.folder, self._temporary, self._name):
            self._expect(self._digest_now(self._name))
            os.rename(self._temporary, self._name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            self._temporary = ""
        self._in = True

    def _take_out(self) -> None:
        """The file under a name of ours, and none under its own."""
        for name in self._free_names():
            with contextlib.suppress(FileExistsError):
                take_name(self.folder, self._name, name)
                self._temporary = name
                return
        raise FileExistsError(errno.EEXIST, "no free name for a temporary file")

    def look(self) -> None:
        """See that nobody has the old file open for writing: it is about to go."""
        if self._in and self._old is not None and self._held is Lease.HELD and broken(self._old):
            raise RefusedError(self._changed())

    def _digest_now(self, name: str) -> str:
        """The digest of what has that name now; nothing for what is no file."""
        try:
            if not stat.S_ISREG(os.stat(name, dir_fd=self.folder, follow_symlinks=False).st_mode):
                return ""
            descriptor = self._opened(name)
        except OSError:
            return ""
        try:
            return digest_of(descriptor)
        finally:
            os.close(descriptor)

    def go_back(self) -> str:
        """Have everything as it was, where it went in; what another program wrote since stays, and a sentence says so."""
        if not self._in:
            return ""
        self._in = False
        if self._data is None:
            return self._put_back_removed()
        if self._old is None:
            try:
                self._take_out()  # what we made
            except FileNotFoundError:
                return ""
            return self._unless_ours()
        if not self._temporary:  # it was renamed over, for want of something better
            os.lseek(self._old, 0, os.SEEK_SET)
            with os.fdopen(self._old, "rb", closefd=False) as file:
                self._put_beside(file.read())
            os.rename(self._temporary, self._name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            self._temporary = ""
            return ""
        try:
            exchanged(self.folder, self._temporary, self._name)
        except FileNotFoundError:  # the new one was removed
            return self._put_back_removed()
        return self._unless_ours()

    def _put_back_removed(self) -> str:
        """The name given back to the old file, where it is free."""
        try:
            take_name(self.folder, self._temporary, self._name)
        except FileExistsError:
            return self._kept()
        self._temporary = ""
        return ""

    def _unless_ours(self) -> str:
        """Nothing, where what came out is what we wrote; else that stays in, and what was there before is kept."""
        status = os.stat(self._temporary, dir_fd=self.folder, follow_symlinks=False)
        ours = self._new is not None and (status.st_dev, status.st_ino) == (self._new.st_dev, self._new.st_ino)
        if ours and self._digest_now(self._temporary) == self._digest_after:
            return ""
        if self._old is None:
            self._put_back_removed()
            return f"{self._request.path} was made, and another program has changed it: it stays."
        exchanged(self.folder, self._temporary, self._name)
        return self._kept()

    def _kept(self) -> str:
        """What to say of the old file, which has a name for good now, since its own is another program's."""
        stem = os.fsdecode(os.fsencode(self._name)[:LONGEST])
        for number in range(1000):
            with contextlib.suppress(FileExistsError):
                take_name(self.folder, self._temporary, f"{stem}{KEPT}-{number}")
                self._temporary = ""
                return f"Another program wrote {self._request.path} at the same moment: what it had written before is in {stem}{KEPT}-{number} beside it."
        return ""

    def settle(self) -> str:
        """Let the old file go, for good; the digest of what is there now."""
        self._in = False
        self._made, made = [], self._made
        for folder, _ in made:
            os.close(folder)
        if not self._same():
            self._drop_temporary()
            with contextlib.suppress(OSError):  # not every file system can, and some folders may not be read
                os.fsync(self.folder)
        return self._digest_after

    def _drop_temporary(self) -> None:
        if self._temporary:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._temporary, dir_fd=self.folder)
        self._temporary = ""

    def close(self) -> None:
        """Leave no descriptor, and no name of ours."""
        try:
            self.go_back()
            self._drop_temporary()
        finally:
            if self._old is not None:
                release(self._old)
                os.close(self._old)
            os.close(self.folder)
            for folder, name in reversed(self._made):
                with contextlib.suppress(OSError):  # somebody has put something into it
                    os.rmdir(name, dir_fd=folder)
                os.close(folder)


def digest_of(descriptor: int) -> str:
    """The SHA-256 (hex) of a file's bytes."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def liken(new: int, old: int) -> None:
    """Give the file ``new`` the owner, attributes and mode of ``old``, as far as we may."""
    status = os.fstat(old)
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.fstat(new).st_gid):
        with contextlib.suppress(OSError):
            os.fchown(new, status.st_uid, status.st_gid)
    with contextlib.suppress(OSError, AttributeError):  # macOS has them, and Python there has no call for it
        for name in os.listxattr(old):
            with contextlib.suppress(OSError):
                os.setxattr(new, name, os.getxattr(old, name))
    os.fchmod(new, stat.S_IMODE(status.st_mode))
