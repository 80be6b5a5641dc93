"""The signatures of a graph as statements: the named computations that an exported model offers."""

from collections.abc import Callable, Iterator, Mapping

from .constants import value_text
from .draft import Draft
from .graph import Endpoint, SavedSignature


def served(signatures: Mapping[str, SavedSignature]) -> Iterator[Endpoint]:
    """The tensors of signatures."""
    for one in signatures.values():
        yield from one.inputs.values()
        yield from one.outputs.values()


def signature_statements(
    draft: Draft, path: Callable[[Endpoint], str | None], unused: Callable[[str], str]
) -> list[str]:
    """The statements for the signatures of a graph. `path` returns the expression for a tensor, or None if the program
    does not have the tensor. A tensor that is only a part of a value gets a name, which `unused` derives from the
    wanted name."""
    lines: list[str] = []
    parts: dict[str, str] = {}  # names by expressions

    def name_of(key: str, end: Endpoint) -> str:
        text = path(end) or ""
        if "[" not in text:
            return text
        if text not in parts:
            parts[text] = unused(key if key.isidentifier() and key.isascii() else "part")
            lines.append(f"{parts[text]} = {text}")
        return parts[text]

    for name, one in draft.graph.signatures.items():
        inputs = {key: name_of(key, end) for key, end in one.inputs.items()}
        outputs = {key: name_of(key, end) for key, end in one.outputs.items()}
        if not outputs or not all((*inputs.values(), *outputs.values())) or len({*inputs.values()}) < len(inputs):
            draft.notes.append(f"left out: the signature '{name}', some of whose tensors the program does not have")
            continue
        taken = f" with {_items(inputs)}" if inputs else ""
        lines.append(f"signature {value_text(name, 'string')}: {_items(outputs)}{taken}")
    return lines


def _items(names: Mapping[str, str]) -> str:
    return ", ".join(
        text if text.rpartition(".")[2] == key else f"{text} as {value_text(key, 'string')}"
        for key, text in names.items()
    )
