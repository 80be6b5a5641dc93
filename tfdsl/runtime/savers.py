"""`save` and `restore`: TensorFlow's checkpoints, with what is wrong said before anything is touched."""

import os

from ..diagnostics import RESTORE_MISSING, RESTORE_TYPE, RESTORE_UNREADABLE, RESTORE_VARIABLE, WRITE_FAILED
from ..lowering.failures import failure, plain_reason
from ..lowering.graph import BuiltGraph
from ..lowering.tf import tf, v1
from ..program import Origin, Ref
from ..suggest import did_you_mean
from ..types import DTYPES, TensorType

Pairs = tuple[tuple[Ref, str], ...] | None


class Savers:
    """The savers of one graph, one for each set of variables; their nodes are added when first asked for."""

    def __init__(self, built: BuiltGraph):
        self._built = built
        self._savers: dict[Pairs, v1.train.Saver] = built.savers

    def variables(self, pairs: Pairs) -> dict[str, v1.Variable]:
        """Variables by their names in the checkpoint; all of the graph, optimizer slots too, for None."""
        if pairs is None:
            return {variable.op.name: variable for variable in self._built.variables()}
        named = ((self._built.value(ref), name) for ref, name in pairs)
        return {name or variable.op.name: variable for variable, name in named}

    def saver(self, pairs: Pairs) -> v1.train.Saver:
        if pairs not in self._savers:
            with self._built.graph.as_default():
                self._savers[pairs] = v1.train.Saver(self.variables(pairs), max_to_keep=None)
        return self._savers[pairs]

    def save(self, session: v1.Session, pairs: Pairs, path: str, origin: Origin) -> None:
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            with self._built.graph.as_default():
                self.saver(pairs).save(session, os.path.abspath(path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise failure(WRITE_FAILED, origin, path=path, reason=plain_reason(error)) from error

    def exists(self, path: str) -> bool:
        return os.path.exists(f"{path}.index")

    def restore(self, session: v1.Session, pairs: Pairs, path: str, origin: Origin) -> None:
        """Read variables; that each is there, in its dtype and shape, is checked first."""
        if not self.exists(path):
            raise failure(RESTORE_MISSING, origin, path=path)
        try:
            reader = tf.train.load_checkpoint(os.path.abspath(path))
            shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
            for name, variable in self.variables(pairs).items():
                if name not in shapes:
                    known = ", ".join(sorted(shapes)) or "none"
                    error = failure(RESTORE_VARIABLE, origin, path=path, name=name, known=known)
                    raise _with_help(error, did_you_mean(name, shapes))
                declared = variable_type(variable)
                actual = _type(dtypes[name], shapes[name])
                if declared != actual:
                    raise failure(RESTORE_TYPE, origin, name=name, declared=declared, actual=actual, path=path)
            with self._built.graph.as_default():
                self.saver(pairs).restore(session, os.path.abspath(path))
        except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
            raise failure(RESTORE_UNREADABLE, origin, path=path, reason=plain_reason(error)) from error


def _with_help(error, help: str):
    from dataclasses import replace

    if help:
        error.diagnostics = tuple(replace(d, help=help) for d in error.diagnostics)
    return error


def variable_type(variable: v1.Variable) -> TensorType:
    return _type(variable.dtype.base_dtype, variable.shape)


def _type(dtype: tf.DType, shape) -> TensorType:
    return TensorType(DTYPES[dtype.name], tuple(int(dim) for dim in shape))
