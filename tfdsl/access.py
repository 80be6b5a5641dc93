"""What a program may touch: every path that a program names is opened here.

Input: a path as a program writes it. Output: an open file, or an open folder to read and write in; `AccessRefused`
where the path leads elsewhere. A program may touch its own folder, the working folder, and what its user allows, with
all that is below them: the roots.

The system is never asked to resolve a path. It is walked name by name: each folder is opened from the one before
(`dir_fd`) and never through a link (`O_NOFOLLOW`); where a name is a link, its target is read and walked in turn, under
the same rules; `..` goes back the way that was come. So what is opened is what was checked, also where somebody renames
folders meanwhile, and outside of the roots nothing is opened, made, or even looked at.

TensorFlow opens files by their names. `Folder.path` is such a name that cannot be led elsewhere, for writing;
`Folder.held` makes names for files that were opened and checked, for reading.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from typing import Any, BinaryIO

from .diagnostics import ALLOWED_MISSING, PATH_FORM, PATH_KIND, PATH_OUTSIDE, Diagnostic, Message, TfgError

_MAX_LINKS = 40  # on the way of one path, as Linux has it
_MAX_PATH = 4096  # bytes
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# What a path cannot have in it. On some systems, or to some readers, each of these means another place than it says.
_FAULTS = (
    (r"\A\Z", "it is empty"),
    (r"\\", "folders are separated by /"),
    (r"\A[A-Za-z][\w+.-]*:", "it begins with a drive, or as an address does"),
    (r"\A~", "~ does not stand for a home folder here"),
    (r"\$[A-Za-z_{(]|%\w+%", "variables of the environment are not put in"),
    (r"%(00|2[eEfF]|5[cC])", "percent signs do not stand for other characters"),
    (r"\.{3}(/|\Z)|[^./]\.+(/|\Z)|\s(/|\Z)", "a name in it ends in a dot or a space"),
    ("[\u2044\u2215\u29f8\u2571\u29f5\u2216]", "it has a character that only looks like / or \\"),
)


class AccessRefused(Exception):
    """A path that a program may not touch. `message` and `details` are those of a diagnostic."""

    def __init__(self, message: Message, **details: object):
        super().__init__(message.code)
        self.message = message
        self.details: dict[str, Any] = details  # passed on as keywords of any type

    def __str__(self) -> str:
        return self.message.headline.format(**self.details)


class Access:
    """What one program may touch.

    `program` is the path of its file; `allowed` are more folders. Where `trusted`, paths are the user's own, as those
    of the command line: they may lead anywhere.
    """

    def __init__(self, program: str = "", allowed: Iterable[str | os.PathLike[str]] = (), trusted: bool = False):
        allowed = [allowed] if isinstance(allowed, (str, os.PathLike)) else allowed
        folders = [os.path.dirname(program) or ".", *(os.fspath(one) for one in allowed)]
        for folder in folders[1:]:
            if not os.path.isdir(folder):
                raise TfgError([Diagnostic(ALLOWED_MISSING, None, {"path": folder})])
        self.trusted = trusted
        self._fixed = [] if trusted else list(map(_root, folders))

    def reading(self, path: str, base: str = "") -> BufferedReader:
        """Open a regular file; `path` is relative to the folder `base`, which is relative to the working folder.

        OSError where the system refuses. The file's `name` is the path as it was given.
        """
        shown = os.path.join(base, path)
        with self._walk(path, base) as walk:
            name = walk.go(keep_last=True)
            if path.rstrip(".").endswith("/"):
                raise IsADirectoryError(None, "it is not a file")
            while name is not None:
                try:
                    return _regular(walk.open[-1], name, shown, self.trusted)
                except AccessRefused:
                    if not walk.follow(name):
                        raise
                name = walk.go(keep_last=True)
            raise IsADirectoryError(None, "it is not a file")

    def folder(self, path: str, base: str = "", create: bool = False) -> "Folder":
        """Open a folder; with `create`, it and what is missing on the way to it are made."""
        with self._walk(path, base) as walk:
            walk.go(create=create)
            return Folder(walk.here(), os.path.join(base, path), self.trusted)

    def beside(self, path: str, base: str = "", create: bool = False) -> "tuple[Folder, str]":
        """Open the folder that the last name of a path is in, and give that name, which need not be there.

        For what is several files with one prefix, as a checkpoint, and for what is moved to its place when it is whole.
        A link with that name is not followed.
        """
        with self._walk(path, base) as walk:
            shown = os.path.join(base, path).rstrip("/")
            is_name = os.path.basename(shown) not in ("", ".", "..")
            name = walk.go(create=create, keep_last=True) if is_name else None
            if name is None:
                raise AccessRefused(PATH_FORM, path=path, reason="it ends without a name")
            return Folder(walk.here(), os.path.dirname(shown), self.trusted), name

    def check(self, path: str, base: str = "") -> None:
        """Raise `AccessRefused` if a path leads outside as things are now. Nothing is made; the path may be missing."""
        with suppress(OSError), self._walk(path, base) as walk:
            walk.go()

    def _walk(self, path: str, base: str) -> "_Walk":
        if not self.trusted:
            reason = fault(path)
            if reason:
                raise AccessRefused(PATH_FORM, path=path, reason=reason)
        roots = [((), ())] if self.trusted else [*self._fixed, _root(".")]
        return _Walk([root for root in roots if root is not None], path, base)


class Confined(str):
    """A path out of a config file, which may have come with the program: `access` opens it."""

    access: Access

    def __new__(cls, path: str, access: Access) -> "Confined":
        made = super().__new__(cls, path)
        made.access = access
        return made


def fault(path: str) -> str:
    """Why a text cannot be the path of a program's; empty if it can."""
    if not path.isprintable():
        return "it has a character that cannot be shown"
    if len(path.encode()) > _MAX_PATH:
        return f"it has more than {_MAX_PATH} bytes"
    found = next((reason for pattern, reason in _FAULTS if re.search(pattern, path)), "")
    if not found and not path.isascii():
        import unicodedata

        plain = "".join(c if c.isascii() else unicodedata.normalize("NFKC", c) for c in path)
        if plain.count("/") != path.count("/") or plain.count(".") != path.count(".") or "\\" in plain:
            return "it has a character that only looks like / or ."
    return found


def _root(folder: str) -> "_Root | None":
    """A folder with all that is below it; None for one that is relative to a working folder that is gone."""
    try:
        return _names(os.path.abspath(folder)), _names(os.path.realpath(folder))
    except FileNotFoundError:
        return None


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in ("", "."))


_Root = tuple[tuple[str, ...], tuple[str, ...]]  # the names of a folder as it is spelled, and as it is without links


class _Walk:
    """A way from the top of the file system, on which only roots and what is below them are opened."""

    def __init__(self, roots: list[_Root], path: str, base: str):
        self._roots, self._path, self._links = roots, path, 0
        self.at: list[str] = []  # the names down to here
        self.open: list[int] = []  # a root, and each folder below it down to here; none is open above a root
        self._todo: list[str] = []  # the names still to go, the next one last
        self._head_for(os.path.join(os.path.abspath(base), path))

    def __enter__(self) -> "_Walk":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def here(self) -> int:
        """The folder that was reached, opened for reading."""
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.open[-1])

    def go(self, create: bool = False, keep_last: bool = False) -> str | None:
        """Walk to the end; with `keep_last` to the last name, which is returned if there is one."""
        self._enter()
        while self._todo:
            name = self._todo.pop()
            if name == "..":
                if self.open:
                    os.close(self.open.pop())
                del self.at[-1:]
                self._enter()
            elif not self.open:
                self.at.append(name)
                self._enter()
            elif keep_last and not self._todo:
                return name
            else:
                self._down(name, create)
        if not self.open:
            self._refuse()
        return None

    def follow(self, name: str) -> bool:
        """Go on at the target of a link that is here; whether there is one."""
        try:
            target = os.readlink(name, dir_fd=self.open[-1])
        except OSError:
            return False
        self._links += 1
        if self._links > _MAX_LINKS:
            raise AccessRefused(PATH_KIND, path=self._path, what="a chain of too many links")
        self._head_for(target)
        return True

    def _head_for(self, path: str) -> None:
        names = _names(path)
        if path.startswith("/"):
            self._close()
            self.at = []
            for spelled, real in self._roots:  # a root may be written with links in it, above itself
                if names[: len(spelled)] == spelled and spelled != real:
                    names = (*real, *names[len(spelled) :])
                    break
        self._todo += reversed(names)

    def _down(self, name: str, create: bool) -> None:
        parent = self.open[-1]
        try:
            fd = os.open(name, _STEP, dir_fd=parent)
        except FileNotFoundError:
            self._check_rest(name)
            if not create:
                raise
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=parent)
                _sync(parent)
            fd = os.open(name, _STEP, dir_fd=parent)
        except OSError:  # not a folder: a link, or ELOOP where a system says so of one
            if not self.follow(name):
                raise
            return self._enter()
        self.at.append(name)
        self.open.append(fd)

    def _enter(self) -> None:
        """Open the root that begins here; refuse where no root is below."""
        if self.open:
            return
        here = tuple(self.at)
        if any(real == here for _, real in self._roots):
            self.open.append(os.open("/" + "/".join(here), _STEP))
        elif not any(real[: len(here)] == here for _, real in self._roots):
            self._refuse()

    def _check_rest(self, name: str) -> None:
        """Refuse where the way on from a name that is missing, in which there are no links, leads outside."""
        self._todo.append(name)
        place = _names(self._place())
        if not any(place[: len(real)] == real for _, real in self._roots):
            self._refuse()
        self._todo.pop()

    def _place(self) -> str:
        """Where the way ends, if no links are in the rest of it."""
        return os.path.normpath("/" + "/".join([*self.at, *reversed(self._todo)]))

    def _refuse(self) -> None:
        import shlex

        place = self._place()
        raise AccessRefused(PATH_OUTSIDE, path=self._path, target=place, folder=shlex.quote(os.path.dirname(place)))

    def _close(self) -> None:
        while self.open:
            os.close(self.open.pop())


def _sync(folder: int) -> None:
    """Have the names in a folder on the disk, whatever it was opened for."""
    with suppress(OSError):
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _regular(parent: int, name: str, shown: str, trusted: bool) -> BufferedReader:
    """Open a regular file that has one name only: another name of it may be outside."""

    def checked(found: os.stat_result) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(None, "it is not a file")
        for is_kind, what in _KINDS:
            if is_kind(found.st_mode):
                raise AccessRefused(PATH_KIND, path=shown, what=what)
        if found.st_nlink > 1 and not trusted:
            raise AccessRefused(
                PATH_KIND, path=shown, what="a file with a second name (a hard link), which may be outside"
            )

    checked(os.stat(name, dir_fd=parent, follow_symlinks=False))  # to open a device can do something
    fd = os.open(name, _READ, dir_fd=parent)
    try:
        checked(os.fstat(fd))
        return open(shown, "rb", opener=lambda path, flags: fd)
    except BaseException:
        os.close(fd)
        raise


class Folder:
    """An open folder, which stays this one whatever is renamed meanwhile. Close it, or use it with `with`.

    `fd` is its descriptor, `shown` its path as it was given. Names are of what is in it; links are not followed.
    """

    def __init__(self, fd: int, shown: str, trusted: bool = False):
        self.fd, self.shown, self._trusted = fd, shown, trusted
        self.path = _path(fd, shown)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; a second time is no error."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def names(self) -> list[str]:
        """The names in it, in order."""
        return sorted(os.listdir(self.fd))

    def has(self, name: str) -> bool:
        """Whether there is anything with a name, be it a link that leads nowhere."""
        return self.stat(name) is not None

    def stat(self, name: str) -> os.stat_result | None:
        """What is known of a name, or None without it."""
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int:
        """The bytes of a file; FileNotFoundError without it."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_size

    def reading(self, name: str) -> BufferedReader:
        """Open a regular file. `AccessRefused` for a link, and whatever else is none."""
        return _regular(self.fd, name, os.path.join(self.shown, name), self._trusted)

    def creating(self, name: str) -> BinaryIO:
        """Make a file to write to; FileExistsError where there is anything with its name."""
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=self.fd)
        return open(os.path.join(self.shown, name), "wb", opener=lambda path, flags: fd)

    def folder(self, name: str, create: bool = False, exclusive: bool = False) -> "Folder":
        """Open a folder that is in it; with `exclusive`, it must be made now."""
        if create or exclusive:
            try:
                os.mkdir(name, dir_fd=self.fd)
            except FileExistsError:
                if exclusive:
                    raise
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fd)
        return Folder(fd, os.path.join(self.shown, name), self._trusted)

    def rename(self, old: str, new: str, into: "Folder | None" = None) -> None:
        """Give something another name, here or in another folder; a file of that name is replaced."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=(into or self).fd)

    def remove(self, name: str) -> None:
        """Remove a file or a link."""
        os.unlink(name, dir_fd=self.fd)

    def sync(self) -> None:
        """Have the names in it on the disk."""
        os.fsync(self.fd)

    def named(self, text: str) -> str:
        """A text from TensorFlow, with the path that the user knows in place of `path`."""
        return text.replace(self.path, self.shown or ".")

    @contextmanager
    def held(self, names: Mapping[str, str]) -> Iterator[str]:
        """A fresh folder for TensorFlow to read, with files that were opened here and checked. `names` maps their names
        here to their names there."""
        import shutil
        import tempfile

        files: list[BinaryIO] = []
        with tempfile.TemporaryDirectory(prefix="tfdsl-") as work:
            try:
                for name, there in names.items():
                    files.append(self.reading(name))
                    kept = _by_number(files[-1].fileno())
                    target = os.path.join(work, there)
                    if kept:
                        os.symlink(kept, target)
                    else:
                        with open(target, "wb") as copy:
                            shutil.copyfileobj(files[-1], copy)
                yield work
            finally:
                for file in files:
                    file.close()


def _by_number(fd: int) -> str:
    """A path that means an open file or folder; empty where the system has none."""
    path = f"/proc/self/fd/{fd}"
    try:
        return path if os.path.samestat(os.stat(path), os.fstat(fd)) else ""
    except OSError:
        return ""


def _path(fd: int, shown: str) -> str:
    # Without /proc it is the plain path: safe from what a program writes, not from renaming under way.
    return _by_number(fd) or os.path.abspath(shown or ".")


TRUSTED = Access(trusted=True)


def access_of(path: object) -> Access:
    """What opens a path that the user gives: it may lead anywhere, unless it stands in a config file."""
    return getattr(path, "access", TRUSTED)
