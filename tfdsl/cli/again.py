"""Repeats a run from its record, and compares the bits.

The program is written to a temporary folder, where every file has the path that it had below the root of the file
system. The run works there, and full paths in the program mean files there, too, so it replaces nothing that the first
one has written. The data is read where it was, or where it is relative to the working folder, if it has the recorded
digest there.
"""

import os
import shutil
from collections.abc import Generator
from contextlib import chdir, contextmanager, suppress
from io import BufferedReader
from tempfile import TemporaryDirectory

from ..access import Access, Folder
from ..diagnostics import RUN_DATA, RUN_NOT_REPEATED, Diagnostic, TfgError
from ..driver import Compiled, compile_source
from ..inputs import CompileInputs, Foreign
from ..limits import Limits
from ..narrowing import is_list, is_object
from ..runs.file_digests import of_file
from ..runs.reading import Json, RunRecord
from ..runtime.options import Options
from ..syntax.read import read


@contextmanager
def repeated(record: RunRecord, foreign: Foreign | None = None) -> Generator[RunRecord]:
    """The record of a repeated run, which is gone after the block. Raises `TfgError` if the run cannot be repeated, or
    if its data have changed."""
    refuse(record)
    with TemporaryDirectory(prefix="tfdsl-again-") as root:
        root = os.path.realpath(root)
        allowed = _bring(record, root)
        work = _staged(root, record.begin["working_folder"])
        os.makedirs(work, exist_ok=True)
        compiled, options = _compiled(record, root, allowed, foreign), _options(record, root)
        with chdir(work), suppress(TfgError):  # its record has the errors
            compiled.run(record.begin["session"], options)
        (made,) = os.listdir(os.path.join(root, "record"))
        again = RunRecord(os.path.join(root, "record", made))
        if again.end is not None:
            again.end = {name: _as_it_was(one, _staged(root, "/")) for name, one in again.end.items()}
        yield again


def refuse(record: RunRecord) -> None:
    """Refuse a run that cannot be repeated."""
    begin, end = record.begin, record.end
    given = [name for name, about in (end or {}).get("data", {}).items() if about["given"] == "Python"]
    if end is None or record.status == "interrupted":
        reason = {"running": "it still runs", "killed": "it was killed"}.get(record.status, "it was interrupted")
    elif begin["about"].get("kind"):
        reason = "it is of several runs, which have records of their own"
    elif begin["has_outside"]:
        reason = "its program uses names or functions from outside its text"
    elif begin["options"]["has_variables"]:
        reason = "it began with variables that Python gave"
    elif begin["options"]["cluster"] is not None:
        reason = "it ran on a cluster"
    elif given:
        reason = f"Python gave it the data '{given[0]}', of which it has only the digest"
    else:
        return
    raise TfgError([Diagnostic(RUN_NOT_REPEATED, None, {"id": record.id, "reason": reason})])


class _StagedAccess(Access):
    """Redirects the full paths of a program to its temporary folder. Links there lead to the data, which can only be
    read."""

    def __init__(self, program: str, root: str, data: list[str]):
        super().__init__(program, [root])
        self._root, self._data = root, Access(program, [root, *data])

    def _redirected(self, path: str) -> str:
        return _staged(self._root, path) if os.path.isabs(path) and not path.startswith(f"{self._root}/") else path

    def reading(self, path: str, base: str = "") -> BufferedReader:
        return self._data.reading(self._redirected(path), base)

    def folder(self, path: str, base: str = "", create: bool = False) -> Folder:
        return super().folder(self._redirected(path), base, create)

    def beside(self, path: str, base: str = "", create: bool = False) -> tuple[Folder, str]:
        return super().beside(self._redirected(path), base, create)

    def check(self, path: str, base: str = "") -> None:
        super().check(self._redirected(path), base)


def _staged(root: str, path: str) -> str:
    return os.path.join(root, "files", path.lstrip("/"))


def _as_it_was(value: object, files: str) -> object:
    """A value of JSON whose texts have the paths that the first run had."""
    match value:
        case str():
            return value.replace(files, "/")
        case _ if is_list(value):
            return [_as_it_was(one, files) for one in value]
        case _ if is_object(value):
            return {name: _as_it_was(one, files) for name, one in value.items()}
        case _:
            return value


def _bring(record: RunRecord, root: str) -> list[str]:
    """Bring the texts and the data. Returns the folders of data that stays where it is."""
    assert record.end is not None
    for path, text in record.texts.items():
        _write(_staged(root, path), text)
    allowed: dict[str, None] = {}
    for about in record.end["data"].values():
        for file in about["files"]:
            place = _found(record, file)
            allowed[os.path.dirname(place)] = None
            # A pattern and a folder stand for files, and not for links to files.
            is_named = os.path.basename(file["path"]) in (about["given"] or about["declared"])
            _place(place, _staged(root, file["path"]), is_copied=not is_named)
    for files in record.end["inputs"].values():
        for file in files:
            _place(_found(record, file), _staged(root, file["path"]), is_copied=True)
    return list(allowed)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def _place(file: str, path: str, is_copied: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        return
    if is_copied:
        shutil.copyfile(file, path)
    else:
        os.symlink(file, path)


def _found(record: RunRecord, file: Json) -> str:
    """Where a file is that has the recorded digest."""
    path: str = file["path"]
    below = os.path.relpath(path, record.begin["working_folder"])
    changed = None
    for place in dict.fromkeys((path, os.path.abspath(below))):
        now = of_file(place)
        if now["sha256"] is not None and now["sha256"] == file["sha256"]:
            return os.path.realpath(place)
        if now["sha256"] is not None:
            changed = changed or place
    reason = "is missing" if changed is None else "has changed since"
    raise TfgError([Diagnostic(RUN_DATA, None, {"id": record.id, "path": changed or path, "reason": reason})])


def _compiled(record: RunRecord, root: str, allowed: list[str], foreign: Foreign | None) -> Compiled:
    assert record.end is not None
    begin, options = record.begin, record.begin["options"]
    program = _staged(root, next(iter(record.texts)))
    params = {name: one["value"] for name, one in begin["params"].items() if one["from"] != "default"}
    data = {
        name: _staged(root, os.path.abspath(os.path.join(begin["working_folder"], about["given"])))
        for name, about in record.end["data"].items() if about["given"] is not None
    }  # fmt: skip
    access, limits = _StagedAccess(program, root, allowed), Limits(**begin["limits"])
    with chdir(os.path.dirname(program)):
        inputs = CompileInputs(params, data, limits, foreign=foreign, access=access)
        compiled = compile_source(read(program, limits), inputs)
    return compiled.on(
        towers=options["towers"], soft_placement=options["soft_placement"], placement=options["placement"],
        worker=options["worker"],
    )  # fmt: skip


def _options(record: RunRecord, root: str) -> Options:
    options = record.begin["options"]
    logdir = None if options["logdir"] is None else os.path.join(root, "logs")
    return Options(
        write=lambda line: None, logdir=logdir, record=os.path.join(root, "record"), keep_variables=False,
        overwrite=options["overwrite"], engine=options["engine"], deterministic=options["deterministic"],
    )  # fmt: skip
