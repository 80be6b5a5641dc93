"""A picture as SVG, which needs pygraphviz."""

from importlib import import_module

from ...diagnostics import GRAPHVIZ_MISSING, Diagnostic, TfgError
from .base import Drawing, Format
from .dot import dot


def svg(drawing: Drawing) -> str:
    """The picture drawn by Graphviz."""
    try:
        pygraphviz = import_module("pygraphviz")  # a plain import would fail type checking if it is not installed
    except ImportError:
        raise TfgError([Diagnostic(GRAPHVIZ_MISSING, None)]) from None
    return pygraphviz.AGraph(string=dot(drawing.pictures)).draw(format="svg", prog="dot").decode("utf-8")


FORMAT = Format("needs Graphviz (pip install pygraphviz)", svg)
