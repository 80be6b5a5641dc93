"""Pictures in Graphviz's DOT language."""

from ...diagnostics.spelling import visible
from ..picture import Box, Edge, Picture, Shape, summary
from .base import Format

# The fill, line and shape of each kind. The colours are by Okabe and Ito; colour-blind people can tell them apart.
STYLES = {
    "placeholder": ("#cfe8f7", "#0072b2", "cds"),
    "variable": ("#fbe3c0", "#b36b00", "cylinder"),
    "constant": ("#eeeeee", "#777777", "note"),
    "op": ("#ffffff", "#444444", "box"),
    "random": ("#f7f3b5", "#8a7f00", "box"),
    "control": ("#e7dbf5", "#6a3d9a", "diamond"),
    "train": ("#cdebdf", "#00805b", "box"),
    "summary": ("#f3d7e6", "#a8477f", "tab"),
    "data": ("#d6ddf2", "#37508f", "folder"),
    "session": ("#f4f4f4", "#6b5b4b", "component"),
}
TINTS = ("#f6f8fb", "#fbf7f0", "#f2f9f5", "#faf3f8", "#f5f3fb", "#fafaf0")


def tint(name: str) -> str:
    """The tint of boxes that share a name."""
    return TINTS[sum(map(ord, name)) % len(TINTS)]


def dot(pictures: list[Picture]) -> str:
    """All pictures as one digraph. If there are several, each is a cluster."""
    lines = [
        "digraph program {",
        '  graph [rankdir="TB", compound=true, fontname="Helvetica", fontsize=11, nodesep=0.25, ranksep=0.4];',
        '  node [fontname="Helvetica", fontsize=10, style="filled,rounded", margin="0.08,0.04", height=0.3];',
        '  edge [fontname="Helvetica", fontsize=8, color="#666666", fontcolor="#666666", arrowsize=0.6];',
    ]
    for number, one in enumerate(pictures):
        prefix = f"g{number}_"
        if len(pictures) > 1:
            title = f"graph {one.name}" if one.name else "the default graph"
            lines.append(f"  subgraph cluster_{prefix} {{ label={_quoted(title)};")
        lines += _children(one.children, prefix, 2)
        lines += [_edge(edge, prefix) for edge in one.edges]
        if len(pictures) > 1:
            lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = visible(text.replace("\n", " ")).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _children(children: tuple[Box | Shape, ...], prefix: str, depth: int) -> list[str]:
    lines: list[str] = []
    indent = "  " * depth
    for child in children:
        if isinstance(child, Box):
            badge = f"  ({child.number} of {child.count})" if child.count > 1 else ""
            lines.append(f"{indent}subgraph {_quoted(f'cluster_{prefix}{child.id}')} {{")
            lines.append(f'{indent}  label={_quoted(child.label + badge)}; style="filled,rounded"; color="#b0b8c4"; '
                         f'fillcolor="{tint(child.like)}";')  # fmt: skip
            lines += _children(child.children, prefix, depth + 1)
            lines.append(f"{indent}}}")
        else:
            fill, line, form = STYLES[child.kind]
            size = "" if child.named else ", fontsize=8"
            tip = summary(child)
            look = f'shape={form}, fillcolor="{fill}", color="{line}", tooltip={_quoted(tip)}{size}'
            lines.append(f"{indent}{_quoted(prefix + child.id)} [label={_quoted(child.label)}, {look}];")
    return lines


def _edge(edge: Edge, prefix: str) -> str:
    if edge.feed:
        look = 'style="dotted", constraint=false'
    else:
        look = 'style="dashed"' if edge.control else f"label={_quoted(edge.label)}"
    return f"  {_quoted(prefix + edge.start)} -> {_quoted(prefix + edge.end)} [{look}];"


FORMAT = Format("is for other tools", lambda drawing: dot(drawing.pictures))
