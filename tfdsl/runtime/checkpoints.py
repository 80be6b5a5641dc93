"""Checkpoints of a training: what it needs to go on, and the position to go on from.

A folder holds `tfdsl.json`, the manifest, and the TensorFlow checkpoint that it names. Each save has a
file prefix of its own; the manifest is replaced in one rename after the files it names are on disk, and
only then is the save before it removed, so that at every moment the folder has one complete state.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass

from ..diagnostics import CHECKPOINT_DAMAGED, CHECKPOINT_OTHER, WRITE_FAILED
from ..lowering.failures import failure, plain_reason
from ..lowering.tf import tf, v1
from ..program import Checkpoint, Origin, Program, Template, Train
from ..serialize import fingerprint

MANIFEST = "tfdsl.json"
_OURS = re.compile(r"step-\d+-[0-9a-f]{8}\.[\w.-]+\Z")  # the files of a save
VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: session and statement of the program, step of its loop, statement of the body."""

    session: int
    statement: int
    step: int
    body: int


def identity(program: Program) -> dict[str, object]:
    """What a checkpoint belongs to: the program's meaning, its params and its data."""
    return {
        "program": fingerprint((program.graphs, program.sessions)),
        "params": {param.name: repr(param.value) for param in program.params},
        "data": {data.name: fingerprint((data.source, data.transforms, data.rows)) for data in program.data},
    }


def folders(program: Program, only: str | None = None) -> list[tuple[str, Origin]]:
    """The folders that a program's trainings, or those of one session, keep checkpoints in, with where it says so."""
    result = []
    for session in program.sessions:
        for statement in session.body if only in (None, session.name) else ():
            if isinstance(statement, Train):
                result += [
                    (_path(inner.path), inner.origin) for inner in statement.body if isinstance(inner, Checkpoint)
                ]
    return result


def _path(expr) -> str:
    return "".join(expr.parts) if isinstance(expr, Template) else expr.value


def find(program: Program, only: str | None = None) -> tuple[Position, str] | None:
    """The position of an interrupted training of this program, or of one session, and its folder, or None.

    A checkpoint of a different program is an error, and so is one that cannot be read: neither is touched.
    """
    for folder, origin in folders(program, only):
        manifest = read(folder, origin)
        if manifest is None:
            continue
        changed = _changed(manifest["identity"], identity(program))
        if changed:
            raise failure(CHECKPOINT_OTHER, origin, path=folder, what=changed)
        position = Position(**manifest["position"])
        if only in (None, program.sessions[position.session].name):
            return position, folder
    return None


def _changed(old: dict, new: dict) -> str:
    """In words, what differs between the program of a checkpoint and this one; empty if nothing does."""
    for kind, word in (("params", "param"), ("data", "data")):
        for name in sorted(old[kind].keys() | new[kind].keys()):
            if old[kind].get(name) != new[kind].get(name):
                return f"{word} '{name}'"
    return "the text" if old["program"] != new["program"] else ""


def read(folder: str, origin: Origin) -> dict | None:
    """The manifest of a folder, checked against the files it names; None where there is none."""
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise failure(CHECKPOINT_DAMAGED, origin, path=folder, reason=f"{MANIFEST}: {error}") from error
    fault = _fault(manifest, folder)
    if fault:
        raise failure(CHECKPOINT_DAMAGED, origin, path=folder, reason=fault)
    return manifest


def _fault(manifest: object, folder: str) -> str:
    """What is wrong with a manifest or the files it names; empty if nothing is."""
    try:
        if manifest["version"] != VERSION:
            return f"{MANIFEST} is of version {manifest['version']}, not {VERSION}"
        Position(**manifest["position"])
        if not manifest["identity"].keys() >= {"program", "params", "data"}:
            return f"{MANIFEST} does not say what it belongs to"
        if f"{manifest['prefix']}.index" not in manifest["files"]:
            return f"{MANIFEST} does not name its files"
        for name, digest in manifest["files"].items():
            if not _OURS.match(name) or _digest(os.path.join(folder, name)) != digest:
                return f"{name} was changed"
    except OSError as error:
        return f"{error.filename}: {(error.strerror or str(error)).lower()}"
    except (KeyError, AttributeError, TypeError):
        return f"{MANIFEST} is not what was written"
    return ""


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Trainings:
    """The checkpoints of one training."""

    def __init__(self, run, program: Program, place: tuple[int, int]):
        self._run, self._program, self._place = run, program, place

    def save(self, folder: str, position: Position, origin: Origin) -> None:
        """Keep variables, optimizer slots and the position; then forget the save before."""
        prefix = f"step-{position.step}-{os.urandom(4).hex()}"
        try:
            os.makedirs(folder, exist_ok=True)
            before = read(folder, origin)
            with self._run.built.graph.as_default():
                self._run.savers.saver(None).save(
                    self._run.session, os.path.join(os.path.abspath(folder), prefix), write_meta_graph=False,
                    write_state=False,
                )  # fmt: skip
            if self._run.log is not None:
                self._run.log.flush()
            names = sorted(name for name in os.listdir(folder) if name.startswith(f"{prefix}."))
            for name in names:
                _sync(os.path.join(folder, name))
            manifest = {
                "version": VERSION,
                "tensorflow": tf.__version__,
                "identity": identity(self._program),
                "position": asdict(position),
                "prefix": prefix,
                "files": {name: _digest(os.path.join(folder, name)) for name in names},
            }
            path = os.path.join(folder, MANIFEST)
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                json.dump(manifest, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(f"{path}.new", path)
            _sync(folder)
            for name in before["files"] if before else ():
                os.remove(os.path.join(folder, os.path.basename(name)))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise failure(WRITE_FAILED, origin, path=folder, reason=plain_reason(error)) from error

    def restore(self, folder: str, origin: Origin) -> None:
        manifest = read(folder, origin)
        saver: v1.train.Saver = self._run.savers.saver(None)
        try:
            with self._run.built.graph.as_default():
                saver.restore(self._run.session, os.path.join(os.path.abspath(folder), manifest["prefix"]))
        except (ValueError, tf.errors.OpError) as error:
            raise failure(CHECKPOINT_DAMAGED, origin, path=folder, reason=plain_reason(error)) from error

    def clear(self, folder: str) -> None:
        """Remove what this program kept here: the training is over."""
        clear(folder)


def clear(folder: str) -> None:
    """Remove a folder's manifest and the files of its saves, and the folder where that leaves it empty."""
    path = os.path.join(folder, MANIFEST)
    if not os.path.exists(path):
        return
    os.remove(path)
    for name in os.listdir(folder):
        if _OURS.match(name):
            os.remove(os.path.join(folder, name))
    if not os.listdir(folder):
        os.rmdir(folder)
