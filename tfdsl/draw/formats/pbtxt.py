"""The graph in TensorFlow's text format."""

from .base import Drawing, Format


def pbtxt(drawing: Drawing) -> str:
    """The GraphDef of the first graph."""
    from google.protobuf import text_format

    return text_format.MessageToString(drawing.graph_def())


FORMAT = Format("is the GraphDef", pbtxt, needs_tensorflow=True)
