"""`export`: a SavedModel of some tensors, with the current values of the variables.

The folder is written beside its final place and moved there when it is complete. `tf.saved_model.load` and TensorFlow
Serving can read it.

The next export replaces a model if it is unchanged, according to the list of files inside it. Anything else at the path
is left alone.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from ...access import Access, AccessRefused, Folder
from ...data.learned import Fitted
from ...diagnostics import EXPORT_EXISTS, WRITE_FAILED
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure, reason_of
from ...lowering.tf import SignatureDef, tf, v1
from ...program import Export
from .model import exported, opened_model

_EXTRA, _LIST = "assets.extra", "tfdsl.json"  # the folder for extra files in a SavedModel; the list of its files
_MOST_LIST = 1_000_000  # bytes


def write_model(
    built: BuiltGraph, session: v1.Session, statement: Export, path: str, access: Access,
    fitted: Callable[[str], Fitted],
) -> Mapping[str, SignatureDef]:  # fmt: skip
    """Write the SavedModel of a statement. It replaces an earlier one at the path that tfdsl exported. `fitted` returns
    what a data set has learned. Returns the signatures of the model."""
    try:
        folder, name = access.beside(path, create=True)
    except AccessRefused as error:
        raise failure(error.message, statement.origin, **error.details) from None
    except OSError as error:
        raise failure(WRITE_FAILED, statement.origin, path=path, reason=reason_of(error)) from error
    with folder:
        try:
            fault = _fault(folder, name)
            if fault:
                raise failure(EXPORT_EXISTS, statement.origin, path=path, reason=fault)
            with _work_folder(folder, name) as inside:
                signatures = _write(built, session, statement, os.path.join(inside.path, "new"), fitted)
                _list_files(inside)
                if folder.has(name):
                    folder.rename(name, "old", inside)
                    fault = _fault(inside, "old")
                    if fault:  # something else was put there meanwhile
                        inside.rename("old", name, folder)
                        raise failure(EXPORT_EXISTS, statement.origin, path=path, reason=fault)
                inside.rename("new", name, folder)
                return signatures
        except (OSError, AccessRefused, tf.errors.OpError) as error:
            reason = folder.named(reason_of(error))
            raise failure(WRITE_FAILED, statement.origin, path=path, reason=reason) from error


@contextmanager
def _work_folder(folder: Folder, name: str) -> Iterator[Folder]:
    """A new folder beside the place of a model. It is removed at the end, unless it contains a model that is not
    ours."""
    work = f".{name}-{os.urandom(8).hex()}"
    with folder.folder(work, exclusive=True) as inside:
        try:
            yield inside
        finally:
            with suppress(OSError):
                if not _fault(inside, "old"):
                    shutil.rmtree("old", ignore_errors=True, dir_fd=inside.fd)
                shutil.rmtree("new", ignore_errors=True, dir_fd=inside.fd)
                os.rmdir(work, dir_fd=folder.fd)


def _fault(folder: Folder, name: str) -> str:
    """Why an export must not replace what is at the path. "" if it is nothing, an empty folder, or an unchanged
    model."""
    if not folder.has(name):
        return ""
    foreign = "it is not a model exported by tfdsl"
    try:
        with folder.folder(name) as there:
            if not there.names():
                return ""
            try:
                listed = _listed(there)
            except (OSError, ValueError):
                return foreign
            return "" if _digests(there) == listed else "it has changed since tfdsl exported it"
    except AccessRefused as error:
        return f"{error.details['path']} is {error.details['what']}"
    except OSError:  # a link or a file
        return foreign


def _digests(folder: Folder, at: str = "") -> dict[str, str]:
    """The files below a folder, except the list, with their digests. Raises `AccessRefused` for irregular files."""
    result = {}
    for name in folder.names():
        path = f"{at}{name}"
        if os.path.isdir(os.path.join(folder.path, name)) and not os.path.islink(os.path.join(folder.path, name)):
            with folder.folder(name) as below:
                result |= _digests(below, f"{path}/")
        elif path != f"{_EXTRA}/{_LIST}":
            with folder.reading(name) as file:
                result[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return result


def _listed(folder: Folder) -> object:
    with folder.folder(_EXTRA) as extra, extra.reading(_LIST) as file:
        return json.loads(file.read(_MOST_LIST))


def _list_files(work: Folder) -> None:
    with work.folder("new") as new, new.folder(_EXTRA, create=True) as extra, extra.creating(_LIST) as file:
        file.write(json.dumps(_digests(new), indent=1).encode())


def _write(
    built: BuiltGraph, session: v1.Session, statement: Export, folder: str, fitted: Callable[[str], Fitted]
) -> Mapping[str, SignatureDef]:
    with opened_model(built, session.run(exported(built, statement)), statement, fitted) as model:
        builder = v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            model.session, ["serve"], model.signatures, strip_default_attrs=True, clear_devices=True,
            main_op=model.prepare, saver=model.saver,
        )  # fmt: skip
        builder.save()
        return model.signatures
