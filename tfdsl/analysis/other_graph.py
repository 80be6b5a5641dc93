"""Builds on another graph than the one that is being built."""

from contextlib import contextmanager

from .context import Analysis, GraphBuilder


@contextmanager
def on_graph(ctx: Analysis, graph: GraphBuilder):
    """Build on another graph inside the `with`."""
    outside = ctx.graph
    ctx.graph = graph
    try:
        yield
    finally:
        ctx.graph = outside
