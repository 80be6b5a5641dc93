"""Controls file access of programs: every path in a program is opened here.

Input: a path as a program writes it. Output: an open file, or an open folder. Raises `AccessRefused` if the path
leads elsewhere. A program can access its own folder, the working folder, the folders that its user allows, and
everything below them: the roots.

The system never resolves a path. The path is walked name by name: each folder is opened from the previous one
(`dir_fd`) and never through a link (`O_NOFOLLOW`). If a name is a link, its target is read and walked in turn,
under the same rules; `..` goes back along the walked path. So the opened file is the checked file, even if
somebody renames folders meanwhile, and nothing outside the roots is opened, created or looked at.

TensorFlow opens files by name. `Folder.path` is a name for writing that cannot be redirected. `Folder.held` gives
names for reading files that were opened and checked.
"""

import os
import re
import stat
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from typing import Any, BinaryIO

from .diagnostics import ALLOWED_MISSING, PATH_FORM, PATH_KIND, PATH_OUTSIDE, Diagnostic, Message, TfgError
from .diagnostics.spelling import nearest

_MAX_LINKS = 40  # on one path, as in Linux
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
# Characters that a path cannot have. On some systems or for some readers, each changes the place that a path means.
_FAULTS = (
    (r"\A\Z", "it is empty"),
    (r"\\", "folders are separated by /"),
    (r"\A[A-Za-z][\w+.-]*:", "it begins like a drive or an address"),
    (r"\A~", "~ does not mean the home folder here"),
    (r"\$[A-Za-z_{(]|%\w+%", "environment variables are not expanded"),
    (r"%(00|2[eEfF]|5[cC])", "percent escapes are not decoded"),
    (r"\.{3}(/|\Z)|[^./]\.+(/|\Z)|\s(/|\Z)", "a name in it ends in a dot or a space"),
    ("[\u2044\u2215\u29f8\u2571\u29f5\u2216]", "it has a character that only looks like / or \\"),
)


class AccessRefused(Exception):
    """A path that a program cannot access. `message` and `details` are those of a diagnostic."""

    def __init__(self, message: Message, **details: object):
        super().__init__(message.code)
        self.message = message
        self.details: dict[str, Any] = details  # passed on as keywords of any type

    def __str__(self) -> str:
        return self.message.headline.format(**self.details)


class Access:
    """The paths that one program can access.

    `program` is the path of its file; `allowed` are additional folders. If `trusted`, the paths are the user's own,
    such as those on the command line, and can lead anywhere.
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
        """Open a regular file. `path` is relative to the folder `base`, which is relative to the working folder.

        Raises OSError if the system refuses. The `name` of the file is the given path.
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

    def identity(self, file: BinaryIO) -> object:
        """A key that identifies a file that `reading` opened under any name."""
        found = os.fstat(file.fileno())
        return found.st_dev, found.st_ino

    def folder(self, path: str, base: str = "", create: bool = False) -> "Folder":
        """Open a folder. With `create`, it is created together with its missing parents."""
        with self._walk(path, base) as walk:
            walk.go(create=create)
            return Folder(walk.here(), os.path.join(base, path), self.trusted)

    def beside(self, path: str, base: str = "", create: bool = False) -> "tuple[Folder, str]":
        """Open the parent folder of a path; return it and the last name of the path, which need not exist.

        Used for several files with one prefix, such as a checkpoint, and for files that are moved into place when
        they are complete. A link with that name is not followed.
        """
        with self._walk(path, base) as walk:
            shown = os.path.join(base, path).rstrip("/")
            is_name = os.path.basename(shown) not in ("", ".", "..")
            name = walk.go(create=create, keep_last=True) if is_name else None
            if name is None:
                raise AccessRefused(PATH_FORM, path=path, reason="it ends without a name")
            return Folder(walk.here(), os.path.dirname(shown), self.trusted), name

    def similar(self, path: str, base: str = "", besides: str = "", wanted: str = "") -> str | None:
        """The path of the file beside a missing one that its name most likely means: one with a similar name and the
        same suffix, or with the suffix `wanted`, or the only one with another suffix. It is not the file called
        `besides`."""
        folder, name = os.path.split(path)
        stem, suffix = os.path.splitext(name)
        try:
            with self.folder(folder or ".", base) as opened:
                parts = [os.path.splitext(other) for other in opened.names() if other != besides]
        except (OSError, ValueError, AccessRefused):
            return None
        for wished in filter(None, (suffix, wanted)):
            stems = [other for other, end in parts if end == wished]
            if match := stem if stem in stems else nearest(stem, stems):
                return os.path.join(folder, f"{match}{wished}")
        others = [f"{other}{end}" for other, end in parts if end != suffix and other == stem]
        found = others[0] if len(others) == 1 else None
        return found and os.path.join(folder, found)

    def check(self, path: str, base: str = "") -> None:
        """Raise `AccessRefused` if a path currently leads outside. Nothing is created, and the path need not exist."""
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
    """A path from a config file, which may have come with the program. `access` opens it."""

    access: Access

    def __new__(cls, path: str, access: Access) -> "Confined":
        made = super().__new__(cls, path)
        made.access = access
        return made


def fault(path: str) -> str:
    """Why a text cannot be a path of a program. Empty if it can."""
    if not path.isprintable():
        return "it has an unprintable character"
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
    """A folder and everything below it. None if it is relative to a deleted working folder."""
    try:
        return _names(os.path.abspath(folder)), _names(os.path.realpath(folder))
    except FileNotFoundError:
        return None


def _names(path: str) -> tuple[str, ...]:
    return tuple(name for name in path.split("/") if name not in ("", "."))


_Root = tuple[tuple[str, ...], tuple[str, ...]]  # the names of a folder as given, and without links


class _Walk:
    """A walk from the top of the file system that only opens roots and their contents."""

    def __init__(self, roots: list[_Root], path: str, base: str):
        self._roots, self._path, self._links = roots, path, 0
        self.at: list[str] = []  # the names walked so far
        self.open: list[int] = []  # a root, and each folder below it so far; nothing above a root is open
        self._todo: list[str] = []  # the remaining names, the next one last
        self._head_for(os.path.join(os.path.abspath(base), path))

    def __enter__(self) -> "_Walk":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def here(self) -> int:
        """The current folder, opened for reading."""
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.open[-1])

    def go(self, create: bool = False, keep_last: bool = False) -> str | None:
        """Walk to the end. With `keep_last`, stop before the last name and return it, if there is one."""
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
        """Continue at the target of a link with this name. Returns whether there is such a link."""
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
            for spelled, real in self._roots:  # the given form of a root can have links above it
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
        except OSError:  # not a folder: a link, or ELOOP on some systems
            if not self.follow(name):
                raise
            return self._enter()
        self.at.append(name)
        self.open.append(fd)

    def _enter(self) -> None:
        """Open the root that begins here. Refuse the path if no root is below."""
        if self.open:
            return
        here = tuple(self.at)
        if any(real == here for _, real in self._roots):
            self.open.append(os.open("/" + "/".join(here), _STEP))
        elif not any(real[: len(here)] == here for _, real in self._roots):
            self._refuse()

    def _check_rest(self, name: str) -> None:
        """Refuse a path whose rest, after a missing name and without links, leads outside."""
        self._todo.append(name)
        place = _names(self._place())
        if not any(place[: len(real)] == real for _, real in self._roots):
            self._refuse()
        self._todo.pop()

    def _place(self) -> str:
        """The end of the path, assuming no links in the rest of it."""
        return os.path.normpath("/" + "/".join([*self.at, *reversed(self._todo)]))

    def _refuse(self) -> None:
        import shlex

        place = self._place()
        raise AccessRefused(PATH_OUTSIDE, path=self._path, target=place, folder=shlex.quote(os.path.dirname(place)))

    def _close(self) -> None:
        while self.open:
            os.close(self.open.pop())


def _sync(folder: int) -> None:
    """Flush the names in a folder to the disk, however it was opened."""
    with suppress(OSError):
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _regular(parent: int, name: str, shown: str, trusted: bool) -> BufferedReader:
    """Open a regular file with a single name. A second name could be outside the roots."""

    def checked(found: os.stat_result) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(None, "it is not a file")
        for is_kind, what in _KINDS:
            if is_kind(found.st_mode):
                raise AccessRefused(PATH_KIND, path=shown, what=what)
        if found.st_nlink > 1 and not trusted:
            raise AccessRefused(
                PATH_KIND, path=shown, what="a file with a second name (a hard link), which can be outside"
            )

    checked(os.stat(name, dir_fd=parent, follow_symlinks=False))  # opening a device can have effects
    fd = os.open(name, _READ, dir_fd=parent)
    try:
        checked(os.fstat(fd))
        return open(shown, "rb", opener=lambda path, flags: fd)
    except BaseException:
        os.close(fd)
        raise


class Folder:
    """An open folder. It stays the same folder if something is renamed. Close it, or use it in a `with`.

    `fd` is its descriptor, `shown` its path as given. Names refer to its direct contents; links are not followed.
    """

    def __init__(self, fd: int, shown: str, trusted: bool = False):
        self.fd, self.shown, self._trusted = fd, shown, trusted
        self.path = _path(fd, shown)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Closing it again is no error."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def names(self) -> list[str]:
        """The sorted names in it."""
        return sorted(os.listdir(self.fd))

    def has(self, name: str) -> bool:
        """Whether a name exists, even as a broken link."""
        return self.stat(name) is not None

    def stat(self, name: str) -> os.stat_result | None:
        """The status of a name, or None if it does not exist."""
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int:
        """The size of a file in bytes. Raises FileNotFoundError if it does not exist."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_size

    def reading(self, name: str) -> BufferedReader:
        """Open a regular file. Raises `AccessRefused` for a link and for other kinds of files."""
        return _regular(self.fd, name, os.path.join(self.shown, name), self._trusted)

    def creating(self, name: str) -> BinaryIO:
        """Create a file for writing. Raises FileExistsError if the name exists."""
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666, dir_fd=self.fd)
        return open(os.path.join(self.shown, name), "wb", opener=lambda path, flags: fd)

    def folder(self, name: str, create: bool = False, exclusive: bool = False) -> "Folder":
        """Open a folder in it. With `exclusive`, it must be created now."""
        if create or exclusive:
            try:
                os.mkdir(name, dir_fd=self.fd)
            except FileExistsError:
                if exclusive:
                    raise
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fd)
        return Folder(fd, os.path.join(self.shown, name), self._trusted)

    def rename(self, old: str, new: str, into: "Folder | None" = None) -> None:
        """Rename a file, optionally into another folder. An existing file with the new name is replaced."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=(into or self).fd)

    def remove(self, name: str) -> None:
        """Remove a file or a link."""
        os.unlink(name, dir_fd=self.fd)

    def sync(self) -> None:
        """Flush its names to the disk."""
        os.fsync(self.fd)

    def named(self, text: str) -> str:
        """A text from TensorFlow, with `path` replaced by the path that the user knows."""
        return text.replace(self.path, self.shown or ".")

    @contextmanager
    def held(self, names: Mapping[str, str]) -> Generator[str, None, None]:
        """A temporary folder for TensorFlow to read, with files that were opened and checked here. `names` maps their
        names here to their names there."""
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
    """A path for an open file or folder. Empty if the system has none."""
    path = f"/proc/self/fd/{fd}"
    try:
        return path if os.path.samestat(os.stat(path), os.fstat(fd)) else ""
    except OSError:
        return ""


def _path(fd: int, shown: str) -> str:
    # Without /proc this is the plain path: safe from the program's paths, but not from concurrent renames.
    return _by_number(fd) or os.path.abspath(shown or ".")


TRUSTED = Access(trusted=True)


def access_of(path: object) -> Access:
    """The access for a path given by the user. It can lead anywhere, unless it comes from a config file."""
    return getattr(path, "access", TRUSTED)
