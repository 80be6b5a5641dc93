"""The files of `save to "my_model.ckpt"`: replaced as a whole, and checked for damage when read.

A checkpoint consists of the files that TensorFlow's `Saver` writes (`my_model.ckpt.index`, `.data-00000-of-00001` and
`.meta`), so TensorFlow can restore it; of `my_model.ckpt.data.json` with what data sets have learned, if they have; and
of a manifest, `my_model.ckpt.manifest`. All files are first written to a folder `.my_model.ckpt.new-...`, which is
flushed to disk and renamed to `.my_model.ckpt.whole-...`. The rename commits the new checkpoint. Then the files are
moved to their final places. A process that finds a `.whole-` folder finishes the move first.

Anybody can create a folder with such a name. So a file is moved only if the manifest lists it, if it matches the
manifest, and if it replaces nothing but a file that was saved there before.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ...access import Access, Folder
from ...data.saved import SUFFIX
from .durable_io import (
    CorruptFile,
    NotPlain,
    files_of,
    finish,
    locked,
    new_folder,
    read_manifest,
    remove_folder,
    verify,
)

_SUFFIX = re.compile(r"\.(?:index|meta|manifest|data-\d{5}-of-\d{5}|data\.json)\Z")
_BESIDE = (".meta", SUFFIX)  # the files without values of variables
_OLD_PART = re.compile(r"-\d{5}-of-\d{5}\Z")
_PART = re.compile(r"\.data-\d{5}-of-\d{5}\Z")


def _step(name: str) -> int:
    """The step at the end of a checkpoint's name, as in `model.ckpt-1000`."""
    number = re.search(r"-(\d+)\Z", name)
    return int(number[1]) if number else -1


def _written(folder: Folder, start: str, shown: str) -> list[tuple[int, int, str]]:
    """The checkpoints of a folder whose names have this start, each with its time in nanoseconds, the step of its name,
    and its name after `shown`."""
    indexes = [name for name in folder.names() if name.startswith(start) and name.endswith(".index")]
    times = {name.removesuffix(".index"): at.st_mtime_ns for name in indexes if (at := folder.stat(name)) is not None}
    return [(time, _step(name), f"{shown}{name}") for name, time in times.items()]


def _reason(error: CorruptFile) -> str:
    return f"it is {error.what}" if isinstance(error, NotPlain) else "it is not the file that was saved there"


class NotOurs(Exception):
    """A file `name` that would be replaced, but was not saved there, and why."""

    def __init__(self, name: str, reason: str):
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class AtomicFileSet:
    """The checkpoint at a path, which is a prefix of files, in a folder that stays open inside the `with` block.

    Raises FileNotFoundError if there is no such folder and it may not be created.
    """

    def __init__(self, path: str, access: Access, create: bool = False):
        self._folder, self._name = access.beside(path, create=create)
        self._manifest = f"{self._name}.manifest"
        self._left = re.compile(re.escape(f".{self._name}") + r"\.(new|whole)-[0-9a-f]{16}\Z")

    def __enter__(self) -> "AtomicFileSet":
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.close()

    def exists(self) -> bool:
        """Whether anything is saved there, complete or not."""
        self._recover()
        return any(not name.endswith(_BESIDE) for name in self._readable())

    def neighbours(self) -> list[str]:
        """The names of other checkpoints that may be meant: with a step at the end of the name, without the suffix of a
        file, or in a folder with this name. The one that was written last comes first."""
        plain = _SUFFIX.sub("", self._name)
        if plain != self._name:
            return [plain] if f"{plain}.index" in self._folder.names() else []
        found = _written(self._folder, f"{self._name}-", "")
        if self.is_folder:
            with self._folder.folder(self._name) as inside:
                found += _written(inside, "", f"{self._name}/")
        return [name for _, _, name in sorted(found, reverse=True)]

    @property
    def is_folder(self) -> bool:
        entry = self._folder.stat(self._name)
        return entry is not None and stat.S_ISDIR(entry.st_mode)

    @property
    def is_saved_model(self) -> bool:
        if not self.is_folder:
            return False
        with self._folder.folder(self._name) as inside:
            return inside.has("saved_model.pb")

    @property
    def is_of_checkpoints(self) -> bool:
        """Whether this is a folder of the statement `checkpoint`."""
        if not self.is_folder:
            return False
        with self._folder.folder(self._name) as inside:
            return any(re.fullmatch(r"\d{8,}-step-\d+", name) for name in inside.names())

    @property
    def has_meta(self) -> bool:
        """Whether a graph is saved here without the values."""
        return self._folder.has(f"{self._name}.meta")

    def _readable(self) -> list[str]:
        """The files that TensorFlow reads. Without an index they are in the format of TensorFlow 0: one file
        with just the name, or parts."""
        names, entry = self._names(self._folder), self._folder.stat(self._name)
        is_old = entry is not None and stat.S_ISREG(entry.st_mode) and not _SUFFIX.search(self._name)
        if is_old:
            return [*names, self._name]
        return names if f"{self._name}.index" in names else [*names, *self._old_parts()]

    def _old_parts(self) -> list[str]:
        """The parts of a checkpoint in the format of TensorFlow 0, which lacks an index."""
        return sorted(filter(self._is_old_part, self._folder.names()))

    def _is_old_part(self, name: str) -> bool:
        return name.startswith(self._name) and _OLD_PART.fullmatch(name, len(self._name)) is not None

    def _missing(self, names: list[str]) -> str:
        """The name of a missing file that TensorFlow needs, or ""."""
        if self._name in names:
            return ""
        if old := list(filter(self._is_old_part, names)):
            count = old[-1][-5:]
            expected = [f"{self._name}-{at:05}-of-{count}" for at in range(int(count))]
            return next((name for name in expected if name not in old), "")
        if f"{self._name}.index" not in names:
            return f"{self._name}.index"
        parts = sorted(name.rpartition("-of-")[::2] for name in names if _PART.search(name))
        counts = {count for _, count in parts} or {"00001"}
        expected = [[(f"{self._name}.data-{at:05}", count) for at in range(int(count))] for count in sorted(counts)]
        lacking = [[part for part in whole if part not in parts] for whole in expected]
        return "" if not all(lacking) else "-of-".join(lacking[0][0])

    @contextmanager
    def reading(self) -> Iterator[str]:
        """The prefix, for TensorFlow to read. Raises `CorruptFile` if a file is not as saved. Files saved by other
        programs have no matching manifest, and TensorFlow checks them by its own checksums."""
        self._recover()
        is_replaced = False
        with suppress(FileNotFoundError):
            files = self._listed_here()
            values = {name: entry for name, entry in files.items() if not name.endswith(_BESIDE)}
            is_replaced = all(self._is_replaced(name, entry) for name, entry in values.items())
            if not is_replaced:
                verify(self._folder, files)
        names = self._readable()
        if is_replaced:  # another program has saved other variables there
            names = [name for name in names if not name.endswith(SUFFIX)]
        missing = self._missing(names)
        if missing:
            raise CorruptFile(f"{missing} is missing")
        # TensorFlow treats some characters in a name as patterns, so it reads the files under another name.
        with self._folder.held({name: f"saved{name.removeprefix(self._name)}" for name in names}) as path:
            parts = list(filter(self._is_old_part, names))
            yield os.path.join(path, f"saved-?????-of-{parts[0][-5:]}" if parts else "saved")

    def replace(self, save: Callable[[str], None]) -> None:
        """Replace the saved files by those that `save` writes, given a prefix. Raises `NotOurs` if another file is in
        the way."""
        with locked(self._folder):
            self._finish()
            self._check_ours()
            planned = [f"{self._name}.{kind}" for kind in ("index", "meta", "data-00000-of-00001", "data.json")]
            with new_folder(self._folder, f"{self._name}.new", self._manifest, planned) as (made, work):
                save(os.path.join(made.path, self._name))
                finish(made, self._manifest, {"version": 1})
                self._listed(made)  # `CorruptFile` if a file has another name, and would not be moved
                self._folder.rename(work, f".{self._name}.whole-{work[-16:]}")
            self._folder.sync()
            self._finish()

    def _is_replaced(self, name: str, entry: list) -> bool:
        """Whether another file is in the place of a file of the manifest."""
        return self._folder.has(name) and not self._is(name, entry)

    def _listed(self, folder: Folder) -> dict[str, list]:
        """The files listed by the manifest in a folder."""
        return files_of(read_manifest(folder, self._manifest), self._is_ours)

    def _listed_here(self) -> dict[str, list]:
        """The files listed by the manifest beside them, under their current names. A manifest that was copied to
        another name still lists the original names."""
        files = files_of(read_manifest(self._folder, self._manifest), _SUFFIX.search)
        if len({_SUFFIX.sub("", name) for name in files}) != 1:
            return self._listed(self._folder)
        return {self._name + end[0]: entry for name, entry in files.items() if (end := _SUFFIX.search(name))}

    def _names(self, folder: Folder) -> list[str]:
        """The files of the prefix that are in a folder."""
        return list(filter(self._is_ours, folder.names()))

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._name) and _SUFFIX.match(name, len(self._name)) is not None

    def _recover(self) -> None:
        """Complete an interrupted save, if this folder is writable."""
        with suppress(PermissionError):
            if any(map(self._left.match, self._folder.names())):
                with locked(self._folder):
                    self._finish()

    def _finish(self) -> None:
        """Move completely saved files to their places. Remove incomplete ones."""
        for name in self._folder.names():
            kind = self._left.match(name)
            if kind and (entry := self._folder.stat(name)) is not None and stat.S_ISDIR(entry.st_mode):
                if kind[1] == "whole":
                    self._move(name)
                else:
                    remove_folder(self._folder, name, self._manifest)

    def _move(self, name: str) -> None:
        """Move the files of a save to their places. Files that were not saved by tfdsl stay."""
        with self._folder.folder(name) as whole:
            try:
                files = self._listed(whole)
            except (FileNotFoundError, CorruptFile):
                files = {}
            left = [file for file in sorted(files, key=lambda file: file[-6:]) if whole.has(file)]
            try:
                verify(whole, {file: files[file] for file in left})
            except CorruptFile as reason:
                raise CorruptFile(f"in {name}, {reason}") from None
            if files:
                self._check_ours(files)
                for old in self._outdated(files):
                    self._folder.remove(old)
                # The manifest comes last: until then, the folder has everything that is needed.
                for file in [*left, self._manifest]:
                    whole.rename(file, file, self._folder)
                self._folder.sync()
        with suppress(OSError):  # it contains another file
            os.rmdir(name, dir_fd=self._folder.fd)

    def _outdated(self, moving: dict[str, list]) -> list[str]:
        """The saved files in whose place no other file comes."""
        with suppress(FileNotFoundError, CorruptFile):
            saved = self._listed_here()
            return [name for name in self._names(self._folder) if name in saved and name not in moving]
        return []

    def _check_ours(self, moving: dict[str, list] | None = None) -> None:
        """Raise `NotOurs` unless every file to be replaced was saved there or is being moved there."""
        try:
            files, unlisted = self._listed_here(), f"{self._manifest} does not list it"
        except FileNotFoundError:
            files, unlisted = {}, f"there is no {self._manifest} that lists it"
        except CorruptFile as reason:
            raise NotOurs(self._manifest, _reason(reason)) from None
        for name in self._names(self._folder):
            if name == self._manifest or (moving and name in moving and self._is(name, moving[name])):
                continue
            if name not in files:
                raise NotOurs(name, unlisted)
            try:
                verify(self._folder, {name: files[name]})
            except CorruptFile as reason:
                raise NotOurs(name, _reason(reason)) from None

    def _is(self, name: str, entry: list) -> bool:
        """Whether a file matches an entry of a manifest."""
        try:
            verify(self._folder, {name: entry})
        except CorruptFile:
            return False
        return True
