"""What `standardize` and `minmax` share: each column minus one number, divided by another."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..types import FLOAT32, TF
from .plain import JsonPart
from .schema import Column, Schema, listed
from .stage import Arguments
from .transforms.base import ColumnTransform, Facts, Learned, Tensors, computed, is_scalable

if TYPE_CHECKING:
    import numpy as np

    from .tables import Block, Function, Table, Words

_FAR = 4096  # times the scale: what float32 loses there is more than 1/4096 of the scale


class Scaling(ColumnTransform):
    learns = True
    takes_columns = True
    needs_complete = True

    @abstractmethod
    def measured(self, table: "Table", names: tuple[str, ...]) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """For each column: what is subtracted, what divides, and whether the training rows all have the first."""

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        columns = self.worked_on(arguments, before, facts)
        return computed(before, columns, learned=True, dtype=FLOAT32, ends=None, gaps=0)

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted(arguments, before, is_scalable, "columns of numbers", facts)

    def learn(self, arguments: Arguments, before: Schema, table: "Table") -> Learned:
        names = tuple(column.name for column in self.worked_on(arguments, before))
        shift, scale, constant = self.measured(table, names)
        return {
            "columns": list(names), "shift": shift.tolist(), "scale": scale.tolist(), "constant": constant.tolist(),
        }  # fmt: skip

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        names = [column.name for column in self.worked_on(arguments, before)]
        fields = learned.fields("columns", "shift", "scale", "constant")
        if fields["columns"].texts() != names:
            fields["columns"].refuse(f"the columns {listed(names)}")
        shift, scale, constant = (fields[name].items(len(names)) for name in ("shift", "scale", "constant"))
        return {
            "columns": names, "shift": [one.number() for one in shift],
            "scale": [one.number(positive=True) for one in scale], "constant": [one.flag() for one in constant],
        }  # fmt: skip

    def precise(self, arguments: Arguments, before: Schema, learned: Learned) -> Iterable[str]:
        rows = zip(learned["columns"], learned["shift"], learned["scale"], strict=True)
        return [name for name, shift, scale in rows if abs(shift) > _FAR * scale]

    def emptied(self, learned: Learned) -> tuple[tuple[str, float], ...]:
        rows = zip(learned["columns"], learned["shift"], learned["constant"], strict=True)
        return tuple((name, value) for name, value, constant in rows if constant and value != 0)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        from .tables import columns_of, matrix

        names, shift, scale = learned["columns"], np.array(learned["shift"]), np.array(learned["scale"])

        def scaled(block: "Block") -> "Block":
            there = [at for at, name in enumerate(names) if name in block]
            if len(there) == len(names):
                return {**block, **columns_of((matrix(block, names) - shift) / scale, names)}
            return {**block, **{names[at]: (block[names[at]] - shift[at]) / scale[at] for at in there}}

        return scaled, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        result = dict(columns)
        for name, shift, scale in zip(learned["columns"], learned["shift"], learned["scale"], strict=True):
            if name in columns:
                moved = tf.cast(columns[name], tf.float64) - tf.constant(shift, tf.float64)
                # A plain division by a constant may become a product, which has other bits.
                result[name] = tf.math.divide_no_nan(moved, tf.constant(scale, tf.float64))
        return result
