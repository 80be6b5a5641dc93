"""The params of a run, for the tab HParams of TensorBoard.

A param has one type in every run, that of its declaration, because TensorBoard puts the runs of a folder into one
table.
"""

from collections.abc import Iterable
from typing import Any

from ...data.stage import written_whole
from ...lowering.tf import v1
from ...program import Param

_PLUGIN, _TAG = "hparams", "_hparams_/session_start_info"


def summary(params: Iterable[Param], started: float) -> v1.Summary | None:
    """The summary that an event file begins with. None if there are no params."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    messages: Any = plugin_data_pb2  # it makes its classes when it is imported
    info = messages.SessionStartInfo(start_time_secs=started)
    for param in params:
        value = info.hparams[param.name]
        match param.type, param.value:
            case "bool", bool(flag):
                value.bool_value = flag
            case (("int" | "float"), (int() | float()) as number):
                value.number_value = number
            case "str", str(text):
                value.string_value = text
            case _, other:
                value.string_value = written_whole(other)
    if not info.hparams:
        return None
    content = messages.HParamsPluginData(version=0, session_start_info=info).SerializeToString()
    about = v1.SummaryMetadata(plugin_data=v1.SummaryMetadata.PluginData(plugin_name=_PLUGIN, content=content))
    made = v1.Summary.Value(tag=_TAG, metadata=about)
    made.tensor.dtype = 1  # a float, which says nothing: the metadata has everything
    made.tensor.tensor_shape.dim.add(size=0)
    return v1.Summary(value=[made])
