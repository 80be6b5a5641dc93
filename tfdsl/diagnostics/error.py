"""The exception with diagnostics."""

from collections.abc import Iterable

from .diagnostic import Diagnostic
from .render import render_text


class TfgError(Exception):
    """A program cannot be compiled, or its run failed. `diagnostics` has the errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]):
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)
        self.__cause__: BaseException | None = next((d.cause for d in self.diagnostics if d.cause is not None), None)

    def __str__(self) -> str:
        return "\n".join(map(render_text, self.diagnostics))
