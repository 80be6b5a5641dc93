"""The prompt on a terminal: history, completion and colours, by prompt_toolkit."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output.color_depth import ColorDepth

from ...editor.completion import Item, complete
from ...editor.text import OpenText
from ...editor.workspace import Workspace
from ...pygments_lexer import TfgLexer
from ...syntax.fragments import SESSION_ONLY
from ...syntax.hints import SESSION_WORDS
from .commands import COMMANDS
from .entries import in_session, is_complete
from .live import LiveProgram
from .loop import history_file

_PROMPT, _MORE = "tfg> ", "...> "


class _Completer(Completer):
    """Completes what the editor server completes: an entry follows the declarations before it."""

    def __init__(self, live: LiveProgram):
        self._live = live

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        if before.startswith(":") and " " not in before:
            names = (f":{name}" for name in COMMANDS)
            return [Completion(name, -len(before)) for name in names if name.startswith(before)]
        found: dict[str, Completion] = {}
        for item, start in completions(self._live, before):
            if item.text not in found:
                found[item.text] = Completion(item.text, start - len(before), item.label, item.detail)
        return found.values()


def completions(live: LiveProgram, before: str) -> list[tuple[Item, int]]:
    """What can follow the text of an entry, with the offset at which it begins."""
    word = before.split()[0] if before.split() else ""
    is_first = before.strip() == word and not before.endswith(" ")  # it may become another word
    forms = [] if word in SESSION_ONLY and not is_first else [before]
    forms += [in_session(before)] if is_first or word in SESSION_WORDS else []
    path = os.path.abspath(live.path or "[program].tfg")
    found: list[tuple[Item, int]] = []
    for form in forms:
        workspace, text = Workspace(), live.text + form
        workspace.change(path, OpenText(text))
        for item in complete(workspace.document(path), len(text)):
            start = item.start - len(text) + len(before)
            if item.label.startswith(before[start:]):
                found.append((item, start))
    return found


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.document.text
        if text.lstrip().startswith(":") or (buffer.document.is_cursor_at_the_end and is_complete(text)):
            buffer.validate_and_handle()
        else:
            line = buffer.document.current_line_before_cursor
            indent = line[: len(line) - len(line.lstrip())]
            buffer.insert_text("\n" + indent + ("    " if line.rstrip().endswith(":") else ""))

    return keys


def _history() -> History:
    with suppress(OSError):
        return FileHistory(history_file())
    return InMemoryHistory()


def ask_on_terminal(live: LiveProgram) -> Callable[[], str | None]:
    """A function that asks for the next entry; None at the end of the input."""
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    session = PromptSession[str](
        _PROMPT, history=_history(), completer=_Completer(live), complete_while_typing=False, key_bindings=_keys(),
        lexer=None if is_plain else PygmentsLexer(TfgLexer), multiline=True, auto_suggest=AutoSuggestFromHistory(),
        prompt_continuation=_MORE, color_depth=ColorDepth.DEPTH_1_BIT if is_plain else None,
    )  # fmt: skip

    def ask() -> str | None:
        while True:
            try:
                return session.prompt()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None

    return ask
