"""`save` and `restore`: TensorFlow checkpoints. Errors are reported before anything changes."""

import os
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property

import numpy as np

from ...access import Access, AccessRefused
from ...data.learned import Fitted
from ...data.saved import SUFFIX, decoded, difference, encoded
from ...data.schema import DataError, shown
from ...diagnostics import (
    LEARNED_DIFFERS,
    RESTORE_MISSING,
    RESTORE_TYPE,
    RESTORE_UNREADABLE,
    RESTORE_VARIABLE,
    SAVE_TWICE,
    WRITE_FAILED,
    WRITE_NOT_OURS,
    Diagnostic,
    Message,
    Note,
    TfgError,
)
from ...diagnostics.spelling import Suggestions, counted, listed, nearest
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure, reason_of
from ...lowering.tf import tf, v1
from ...program import Moved, Node, Origin, Pairs, Ref
from ...types import ALL_DTYPES, TensorType
from ..files.atomic_files import AtomicFileSet, NotOurs
from ..files.durable_io import CorruptFile
from .partitions import StoredPart, parts


class Savers:
    """The savers of one graph, one for each set of variables. Their nodes are added on first use."""

    def __init__(self, built: BuiltGraph, access: Access, learned: Callable[[], Mapping[str, Fitted]]):
        self._built, self._access, self._learned = built, access, learned
        self._savers: dict[Pairs, v1.train.Saver] = built.savers

    def variables(self, pairs: Pairs) -> dict[str, v1.Variable]:
        """Variables by their names in the checkpoint. None means all variables, including those of optimizers."""
        return dict(self._listed(pairs))

    def _listed(self, pairs: Pairs) -> Iterator[tuple[str, v1.Variable]]:
        """The variables of a statement with their names in the checkpoint, as often as it lists them."""
        if pairs is None:
            yield from ((variable.op.name, variable) for variable in self._built.variables())
        for ref, name in pairs or ():
            slots = self._built.slots.get(ref.node)
            if slots is None:
                yield self._stored(ref, name), self._built.value(ref)
            else:
                yield from ((slot.op.name, slot) for slot in slots)

    def refuse_clashes(self, pairs: Pairs, origin: Origin) -> None:
        """Refuse two variables with one name in a checkpoint, and one variable with two names."""
        owners: dict[str, str] = {}
        names: dict[str, str] = {}
        for name, variable in self._listed(pairs):
            own = variable.op.name
            if owners.setdefault(name, own) != own:
                way = "give each a name of its own; 'set' gives a variable the value of another"
                raise failure(SAVE_TWICE, origin, what=f"two variables would have the name '{name}'", way=way)
            if names.setdefault(own, name) != name:
                what = f"'{self._shown(own)}' would have two names, '{names[own]}' and '{name}',"
                raise failure(SAVE_TWICE, origin, what=what, way="list it once")

    def _stored(self, ref: Ref, name: str | Moved) -> str:
        """The name of a variable in the checkpoint."""
        own = self._built.value(ref).op.name
        return name.of(own) if isinstance(name, Moved) else name or own

    def _named(self, pairs: Pairs) -> list[tuple[Ref, str | Moved]]:
        """The variables that a statement names itself."""
        return [(ref, name) for ref, name in pairs or () if ref.node not in self._built.slots]

    def saver(self, pairs: Pairs) -> "v1.train.Saver":
        with self._built.lock:
            if pairs not in self._savers:
                with self._built.graph.as_default():
                    self._savers[pairs] = v1.train.Saver(self.variables(pairs), max_to_keep=None)
            return self._savers[pairs]

    # --- `save` and `restore` -------------------------------------------------------------

    def save(self, session: v1.Session, pairs: Pairs, path: str, origin: Origin) -> None:
        """Save variables. Existing files are replaced when the new ones are complete, and only if they were saved
        too."""
        write = self.writer(session, pairs, meta=True)
        with self._reported(WRITE_FAILED, path, origin), AtomicFileSet(path, self._access, create=True) as files:
            files.replace(write)

    def exists(self, path: str, origin: Origin) -> bool:
        with (
            self._reported(RESTORE_UNREADABLE, path, origin),
            suppress(FileNotFoundError),
            AtomicFileSet(path, self._access) as files,
        ):
            return files.exists()
        return False

    def check(self, pairs: Pairs, path: str, origin: Origin) -> None:
        """Report everything that is wrong, unless each variable is in the checkpoint with its dtype and shape."""
        with self.reading(path, origin) as prefix:
            self._check(prefix, pairs, path, origin)
            _learned(prefix, path, origin)

    def restore(self, session: v1.Session, pairs: Pairs, path: str, origin: Origin) -> Iterable[Diagnostic]:
        """Restore variables, after checking that each is in the checkpoint with its dtype and shape. Returns
        warnings."""
        with self.reading(path, origin) as prefix:
            self.load(session, prefix, pairs, path, origin)
            return self.doubts(prefix, path, origin)

    def load(self, session: v1.Session, prefix: str, pairs: Pairs, path: str, origin: Origin) -> dict[str, Fitted]:
        """Restore variables from the files of a prefix, after checking them. Returns what data sets have learned."""
        self._check(prefix, pairs, path, origin)
        learned = _learned(prefix, path, origin)
        if pairs is None or pairs:  # None is all
            self.read(session, prefix, pairs)
        return learned

    def doubts(self, prefix: str, path: str, origin: Origin) -> list[Diagnostic]:
        """A warning if what the model in the files of a prefix has learned differs from the data of the program."""
        saved = _learned(prefix, path, origin)
        found = difference(saved, self._learned()) if saved else None
        if found is None:
            return []
        details = {
            "data": found.data, "what": found.what, "saved": found.saved, "own": found.own,
            "file": f"{path}{SUFFIX}", "path": shown(path), "saved_name": shown(found.saved_name),
            "more": (found.more and f", and {counted(found.more, 'other differs', 'others differ')}") or "",
        }  # fmt: skip
        return [Diagnostic(LEARNED_DIFFERS, origin.span, details, chain=origin.chain)]

    @contextmanager
    def reading(self, path: str, origin: Origin) -> Iterator[str]:
        """The prefix of a checkpoint at a path."""
        if not self.exists(path, origin):
            raise failure(RESTORE_MISSING, origin, help=self._instead(path, origin), path=path)
        with (
            self._reported(RESTORE_UNREADABLE, path, origin),
            AtomicFileSet(path, self._access) as files,
            files.reading() as prefix,
        ):
            try:
                yield prefix
            except (ValueError, RuntimeError, tf.errors.OpError) as error:
                raise CorruptFile(reason_of(error).replace(prefix, path)) from error

    def _instead(self, path: str, origin: Origin) -> str:
        """A help line that names a nearby checkpoint, or "" if there is none."""
        with (
            self._reported(RESTORE_UNREADABLE, path, origin),
            suppress(FileNotFoundError),
            AtomicFileSet(path, self._access) as files,
        ):
            if files.is_saved_model:
                return _of_saved_model(path, origin)
            near = files.neighbours()
            if near:
                found = os.path.join(os.path.dirname(path.rstrip("/")), near[0])
                others = f" (the newest of {len(near)})" if len(near) > 1 else ""
                if origin.span.source.is_argument:
                    return f"write: --from {shlex.quote(found)}{others}"
                head = re.match(r"restore\b.*?\sfrom\b", origin.span.one_line)
                return f'write: {head[0] if head else "restore from"} "{found}"{others}'
            if files.is_folder and origin.span.source.is_argument:
                return _TRAINED
            if files.is_of_checkpoints:
                return (
                    "this is the folder of a 'checkpoint', from which the same program goes on by itself; name a file "
                    "of 'save' or 'keep'"
                )
            if files.is_folder:
                return "this is a folder without checkpoints; name a checkpoint by its files without their suffixes"
            if files.has_meta:
                return f"{path}.meta is the graph; the values are missing: {path}.index and {path}.data-..."
        with self._reported(RESTORE_UNREADABLE, path, origin):
            found = _respelled(self._access, path)
            if found:
                return f'did you mean "{found}"?'
            return _TRAINED if origin.span.source.is_argument else ""

    @contextmanager
    def _reported(self, message: Message, path: str, origin: Origin) -> Iterator[None]:
        """An error about the files of a path, at the statement."""
        try:
            yield
        except NotOurs as error:
            raise failure(WRITE_NOT_OURS, origin, path=path, name=error.name, reason=error.reason) from None
        except AccessRefused as error:
            raise failure(error.message, origin, **error.details) from None
        except (CorruptFile, OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
            help = _of_model(path, origin) if message is RESTORE_UNREADABLE else ""
            raise failure(message, origin, help=help, path=path, reason=reason_of(error)) from error

    def _own(self, pairs: Pairs) -> dict[str, Node]:
        """The variables that a statement restores, by their names in TensorFlow, without variables of optimizers."""
        ids = (
            [one.id for one in self._built.program.variables()]
            if pairs is None
            else [ref.node for ref, _ in self._named(pairs)]
        )
        return {self._built.value(Ref(id)).op.name: self._built.program.nodes[id] for id in ids}

    def _below_others(self, pairs: Pairs, stored: Mapping[str, str], path: str) -> str:
        """A help line if a checkpoint has the variables of a scope under the name of another scope, or has only some of
        the scopes and variables."""
        if any(isinstance(name, str) and name for _, name in pairs or ()):
            return ""
        own = self._own(pairs)
        types = {name: str(variable_type(self._built.value(Ref(node.id)))) for name, node in own.items()}
        parts: dict[str, dict[str, str]] = {}
        for name, type in types.items():
            part, slash, rest = name.partition("/")
            parts.setdefault(part, {})[slash + rest] = type
        others = {name[:at] for name in stored for at in range(len(name)) if name[at] == "/"} - parts.keys()
        items: list[str] = []
        for part, inside in parts.items():
            scopes = [part] if "" in inside else [part, *sorted(others)]
            found = [one for one in scopes if all(stored.get(one + rest) == type for rest, type in inside.items())]
            items += [part if one == part else f'{part} as "{one}"' for one in found[:1]]
        if not items or (pairs is not None and len(items) < len(parts)):
            return ""
        how = f'restore {", ".join(items)} from "{path}"'
        if pairs is None and own.keys() <= stored.keys():
            return f"it belongs to an optimizer that the checkpoint lacks: init, then {how}"
        return f"write: init, then {how}" if pairs is None else f"write: {how}"

    def _lacking(self, name: str, ref: Ref | None, stored: Mapping[str, object], path: str, near: str | None) -> str:
        """What to write for a name that a checkpoint lacks. `ref` is the variable that the statement names."""
        if ref is None:
            shown = self._shown(name) if name in self._own(None) else ""
            return f'write: restore {shown} as "{near}" from "{path}"' if near and shown else ""
        itself = self._built.value(ref).op.name
        shown = self._shown(itself)
        if name != itself and itself in stored:
            return f"it has '{itself}': write {shown} without 'as \"{name}\"'"
        if near:
            return f'write: {shown} as "{near}"'
        return ""

    def _without_slots(self, stored: Iterable[str]) -> list[str]:
        """The names in a checkpoint that can be those of a variable of the program: what an optimizer keeps for a
        variable has the name of the variable in front."""
        variables = {*stored, *self._own(None)}
        return [name for name in stored if name.rpartition("/")[0] not in variables]

    def _shown(self, name: str) -> str:
        """A variable as the program writes it, by its name in TensorFlow."""
        node = self._own(None).get(name)
        return name if node is not None and node.is_whole else name.replace("/", ".")

    def _missing(
        self,
        names: list[str],
        refs: Mapping[str, Ref],
        pairs: Pairs,
        path: str,
        origin: Origin,
        stored: Mapping[str, str],
    ) -> Diagnostic:
        """The error for names that a checkpoint lacks."""
        quoted = [f"'{name}'" for name in names]
        what = f"variable{'' if len(names) == 1 else 's'} {listed(quoted)}"
        free, suggestions = self._without_slots(stored), Suggestions()
        # What optimizers keep would hide the variables in a long list, unless it is what lacks.
        known = listed(sorted(free if self._without_slots(names) == names else stored)) or "none"
        ways = (self._lacking(name, refs.get(name), stored, path, suggestions.nearest(name, free)) for name in names)
        if origin.span.source.is_argument:
            help = f"{_SAME}; it has {known}"
        else:
            help = self._below_others(pairs, stored, path) or next(filter(None, ways), "")
        details = {"path": path, "names": what, "known": known}
        return Diagnostic(RESTORE_VARIABLE, origin.span, details, help=help, chain=origin.chain)

    def _check(self, prefix: str, pairs: Pairs, path: str, origin: Origin) -> None:
        stored = stored_types(prefix)
        stored |= {name: str(variable_type(self.variables(pairs)[name])) for name in self._parts(prefix, pairs)}
        faults: list[Diagnostic] = []
        missing: list[str] = []
        refs = {self._stored(ref, name): ref for ref, name in self._named(pairs)}
        types = {name: str(variable_type(variable)) for name, variable in self.variables(pairs).items()}
        # What optimizers keep has the shapes of its variables: those are named, not both.
        variables = self._own(None)
        own = variables if pairs is None else refs
        changed = [name for name in own if name in types and stored.get(name, types[name]) != types[name]]
        for name, declared in types.items():
            if name not in stored:
                missing.append(name)
            elif stored[name] != declared and (name in own or not any(f"/{one}/" in f"/{name}" for one in changed)):
                itself = self._built.value(refs[name]).op.name if name in refs else name
                shown = self._shown(itself) if itself in variables else name
                actual = stored[name] if itself == name else f"'{name}' is {stored[name]}"
                details = {"name": shown, "declared": declared, "actual": actual, "path": path}
                same = sorted(one for one in self._without_slots(stored) if stored[one] == declared and name in refs)
                declare = f"declare {shown}: {stored[name]}, or " if name in own else ""
                if shown != itself and name in own:  # a layer may have made it
                    declare = f"change the program so that {shown} is {stored[name]}, or "
                help = f"{declare}restore a checkpoint that has {declared}"
                if same:
                    help = f'it has {declared} for {listed(same)}; write: {shown} as "{same[0]}"'
                if origin.span.source.is_argument:
                    help = _SAME
                faults.append(
                    Diagnostic(
                        RESTORE_TYPE, origin.span, details, self._notes(prefix, path, origin), help, origin.chain
                    )
                )
        if missing:
            faults.append(self._missing(missing, refs, pairs, path, origin, stored))
        if faults:
            raise TfgError(faults)

    def _notes(self, prefix: str, path: str, origin: Origin) -> tuple[Note, ...]:
        """How what the model has learned differs from the data of the program, which may be why shapes differ."""
        saved = _learned(prefix, path, origin)
        found = difference(saved, self._learned()) if saved else None
        if found is None:
            return ()
        file, here = f"{path}{SUFFIX}", f"{found.data} of this program"
        return (Note(f"in {file}, {found.what} {found.saved}, and {found.own} for {here}"),)

    # --- TensorFlow's files ---------------------------------------------------------------

    def writer(self, session: v1.Session, pairs: Pairs = None, meta: bool = False) -> Callable[[str], None]:
        """A function that writes the files of a prefix: the variables, and what data sets have learned. It raises
        OSError if that fails."""
        learned = self._encoded

        def write(prefix: str) -> None:
            if learned:
                with open(f"{prefix}{SUFFIX}", "xb") as file:
                    file.write(learned)
            try:
                if self._is_remote:
                    _write(prefix, session.run(self.variables(pairs)))
                    with self._built.graph.as_default():
                        if meta:
                            self.saver(pairs).export_meta_graph(f"{prefix}.meta")
                    return
                with self._built.graph.as_default():
                    self.saver(pairs).save(session, prefix, write_meta_graph=False, write_state=False)
                    if meta:  # `save` renames it if the prefix looks like "fold-1-of-5"
                        self.saver(pairs).export_meta_graph(f"{prefix}.meta")
            except tf.errors.OpError as error:
                raise OSError(None, reason_of(error)) from error

        return write

    @cached_property
    def _encoded(self) -> bytes:
        """What data sets have learned. Empty if none has transforms."""
        sets = self._learned()
        try:
            return encoded(sets) if sets else b""
        except DataError as error:
            raise TfgError([Diagnostic(error.message, None, error.details)]) from None

    def read(self, session: v1.Session, prefix: str, pairs: Pairs = None) -> None:
        """Restore variables from the files of a prefix."""
        kept = self._parts(prefix, pairs)
        if self._is_remote or kept:
            reader = tf.train.load_checkpoint(prefix)
            values = [
                (one, kept[name].of(reader.get_tensor(kept[name].whole)) if name in kept else reader.get_tensor(name))
                for name, one in self.variables(pairs).items()
            ]
            self._built.assign(session, values)
            return
        with self._built.graph.as_default():
            self.saver(pairs).restore(session, prefix)

    def read_matching(self, session: v1.Session, prefix: str) -> Iterator[tuple[str, str]]:
        """Restore the variables that the files have with the same dtype and shape. Returns the others with the
        reasons."""
        stored, reader = stored_types(prefix), tf.train.load_checkpoint(prefix)
        for name, variable in self.variables(None).items():
            type = str(variable_type(variable))
            if name not in stored:
                yield name, "it is not in the checkpoint"
            elif stored[name] != type:
                yield name, f"it is {type}, but {stored[name]} in the checkpoint"
            else:
                self._built.assign(session, [(variable, reader.get_tensor(name))])

    def _parts(self, prefix: str, pairs: Pairs) -> dict[str, StoredPart]:
        """The variables that the files of a prefix have only as parts of others of the same dtype."""
        reader, restored = tf.train.load_checkpoint(prefix), self.variables(pairs)
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        every = {name: _shape(one.shape) for name, one in {**self.variables(None), **restored}.items()}
        found = parts(every, {name: _shape(shape) for name, shape in shapes.items()})
        return {name: part for name, part in found.items()
                if name in restored and restored[name].dtype.base_dtype == dtypes[part.whole]}  # fmt: skip

    @property
    def _is_remote(self) -> bool:
        """Whether the variables are on servers, which do not see the files of this machine. Then this process transfers
        the values."""
        return self._built.setting.layout.cluster is not None


# What to do about a model that `tfdsl predict` cannot use.
_TRAINED = (
    "train the model first: tfdsl run; --from names the path of its 'save', or the folder of its 'checkpoint' until "
    'the training ends, which removes them: a session keeps the model with save to "model.ckpt" after it'
)
_EXPORTED = (".pb", ".onnx")  # files that `export` writes
_SAME = "use the program that the model was trained with, or train it again with this one"


def _of_model(path: str, origin: Origin) -> str:
    """A help line for a file of an exported model in the place of a checkpoint. "" for other files."""
    folder, name = os.path.split(path)
    if name == "saved_model.pb":
        return _of_saved_model(folder, origin)
    if name.endswith(_EXPORTED):
        return "an exported model is used without a program; name the checkpoint that a 'save' of the program wrote"
    return ""


def _of_saved_model(folder: str, origin: Origin) -> str:
    """A help line for the folder of a SavedModel in the place of a checkpoint."""
    found = os.path.join(folder.rstrip("/"), "variables", "variables")
    read = f"--from {shlex.quote(found)}" if origin.span.source.is_argument else f'restore from "{found}"'
    return (
        "this is a SavedModel, which is used without a program, as in tf.saved_model.load(...); a program can read its "
        f"variables: write: {read}"
    )


def _learned(prefix: str, path: str, origin: Origin) -> dict[str, Fitted]:
    """What data sets have learned, in the files of a prefix. Empty if there is no such file."""
    try:
        with open(f"{prefix}{SUFFIX}", "rb") as file:
            return decoded(file, f"{path}{SUFFIX}")
    except FileNotFoundError:
        return {}
    except DataError as error:
        notes = (Note(f"at {error.place}"),) if error.place else ()
        raise failure(error.message, origin, notes, **error.details) from None


def _write(prefix: str, values: Mapping[str, np.ndarray]) -> None:
    """Write the files of a prefix like a Saver."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        tensors = [v1.placeholder(tf.as_dtype(np.asarray(value).dtype)) for value in values.values()]
        save = tf.raw_ops.SaveV2(
            prefix=prefix, tensor_names=list(values), shape_and_slices=[""] * len(values), tensors=tensors
        )
        session.run(save, dict(zip(tensors, values.values(), strict=True)))


def stored_types(prefix: str) -> dict[str, str]:
    """The variables in the files of a prefix, with their types."""
    reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    return {name: str(_type(dtypes[name], shape)) for name, shape in reader.get_variable_to_shape_map().items()}


def variable_type(variable: v1.Variable) -> TensorType:
    return _type(variable.dtype.base_dtype, variable.shape)


def _type(dtype: tf.DType, shape: Iterable[int]) -> TensorType:
    return TensorType(ALL_DTYPES[dtype.name], _shape(shape))


def _shape(sizes: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(size) for size in sizes)


def _respelled(access: Access, path: str, is_folder: bool = False) -> str:
    """The checkpoint, or the folder, that a misspelt path most likely means; empty if there is none."""
    above = os.path.dirname(path.rstrip("/"))
    try:
        folder, name = access.beside(path)
    except FileNotFoundError:
        above = _respelled(access, above, is_folder=True) if above else ""
        if not above:
            return ""
        path = os.path.join(above, os.path.basename(path.rstrip("/")))
        folder, name = access.beside(path)
    with folder:
        names = folder.names()
        known = {one.removesuffix(".index") for one in names if one.endswith(".index")}
        if is_folder:
            known = {one for one in names if (entry := folder.stat(one)) and stat.S_ISDIR(entry.st_mode)}
        longer = next((one for one in sorted(known) if one.startswith(f"{name}.")), "")
        found = name if name in known else longer or nearest(name, known)
    return os.path.join(above, found) if found else ""
