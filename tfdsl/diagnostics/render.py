"""Renders a diagnostic as text with an excerpt, as one line, as a JSON object, or as an annotation of GitHub."""

from collections.abc import Callable

from ..source import Span
from .diagnostic import Diagnostic, Note
from .spelling import visible

_Painter = Callable[[str, str], str]  # takes a style and a text; returns the styled text

_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "place": "\x1b[1;34m", "help": "\x1b[1;36m"}
_RESET = "\x1b[0m"
_TAB = "    "
_MAX_LINE = 240
_MAX_TEXT = 1000  # characters of a message: names in it can be very long
_MAX_CHAIN = 5  # calls in a chain: this many are shown at both ends


def _painter(color: bool) -> _Painter:
    def paint(style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if color else text

    return paint


def _cut(text: str) -> str:
    """Shorten a long text."""
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT // 2]} ... {text[-_MAX_TEXT // 4 :]}"


def _said(text: str) -> str:
    """Make a text safe to show, and shorten it."""
    return visible(_cut(text))


def note_text(note: Note, shown: str) -> str:
    """A note as it is shown. Its line names the file unless that is the one shown."""
    if note.span is None:
        return _said(note.text)
    line = str(note.span.line)
    if note.span.source.path != shown:
        line += f" of {note.span.source.path}"
    return _said(note.text.replace("{line}", line))


def _excerpt(span: Span, paint: _Painter, style: str) -> tuple[str, list[str]]:
    """The width of the gutter and the lines of the excerpt. The place is underlined on its first line."""
    line, column = span.source.position(span.start)
    raw = span.source.line_text(line)
    start = column - 1
    end = min(max(start + 1, start + span.end - span.start), max(len(raw), start + 1))
    # Of a very long line, only the part around the place is shown.
    cut = max(0, start - _MAX_LINE // 2) if len(raw) > _MAX_LINE else 0
    raw = raw[cut : cut + _MAX_LINE]
    end = min(end - cut, max(len(raw), start - cut + 1))
    start -= cut
    show = [visible(c).replace("\\t", _TAB) for c in raw]
    text = "".join(show).rstrip()
    pad = sum(_width(c) for c in show[:start])
    carets = "^" * max(1, sum(_width(c) for c in show[start:end]))
    number = " " if span.source.is_argument else str(line)
    gutter = " " * len(number)
    bar = paint("place", "|")
    return gutter, [
        f"{gutter} {bar}",
        f"{paint('place', number)} {bar} {text}",
        f"{gutter} {bar} {' ' * pad}{paint(style, carets)}",
    ]


def _width(text: str) -> int:
    """The columns of a text on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def render_text(diagnostic: Diagnostic, color: bool = False) -> str:
    """The form in section 10 of the language: headline, place, excerpt, notes, help."""
    paint = _painter(color)
    style = diagnostic.severity
    lines = [f"{paint(style, f'{diagnostic.severity}[{diagnostic.code}]')}: {_said(diagnostic.headline)}"]
    gutter = " "
    path = ""
    if diagnostic.span is not None:
        gutter, excerpt = _excerpt(diagnostic.span, paint, style)
        path = diagnostic.span.source.path
        lines.append(f"{gutter}{paint('place', '-->')} {visible(str(diagnostic.span))}")
        lines += excerpt
    mark = paint("place", "=")
    chain = [f"{_said(name)} at {visible(str(span))}" for name, span in reversed(diagnostic.chain)]
    if len(chain) > 2 * _MAX_CHAIN:
        chain[_MAX_CHAIN:-_MAX_CHAIN] = [f"... {len(chain) - 2 * _MAX_CHAIN} more ..."]
    lines += [f"{gutter} {mark} {call}" for call in chain]
    for note in diagnostic.notes:
        lines.append(f"{gutter} {mark} {note_text(note, path)}")
    if diagnostic.help_line:
        lines.append(f"{gutter} {mark} {paint('help', 'help')}: {_said(diagnostic.help_line)}")
    return "\n".join(lines) + "\n"


def render_concise(diagnostic: Diagnostic) -> str:
    """One line: `path:line:column: error[TFG201]: headline`."""
    place = f"{diagnostic.span}: " if diagnostic.span is not None else ""
    return _said(f"{place}{diagnostic.severity}[{diagnostic.code}]: {diagnostic.headline}")


def render_github(diagnostic: Diagnostic) -> str:
    """A workflow command of GitHub Actions, which shows the diagnostic beside the line."""
    properties: dict[str, object] = {}
    path = ""
    if diagnostic.span is not None:
        place = _place(diagnostic.span)
        path = diagnostic.span.source.path
        properties |= {"file": path, "line": place["line"]}
        if place["line"] == place["end_line"]:  # columns are of one line
            properties |= {"col": place["column"], "endColumn": place["end_column"]}
        properties["endLine"] = place["end_line"]
    properties["title"] = diagnostic.code
    lines = [diagnostic.headline, *(note_text(note, path) for note in diagnostic.notes), diagnostic.help_line]
    named = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items())
    return f"::{diagnostic.severity} {named}::{_escaped(chr(10).join(map(_cut, filter(None, lines))))}"


def _escaped(text: str, more: str = "") -> str:
    """Text for a workflow command. Properties end at more characters than messages."""
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)


def _place(span: Span) -> dict[str, object]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(max(span.start, span.end))
    return {"path": span.source.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def render_json(diagnostic: Diagnostic) -> dict[str, object]:
    """A JSON object. Lines and columns count from 1; `end_column` is exclusive."""
    path = diagnostic.span.source.path if diagnostic.span else ""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": _cut(diagnostic.headline),
        "place": _place(diagnostic.span) if diagnostic.span else None,
        "notes": [
            {"message": note_text(n, path), "place": _place(n.span) if n.span else None} for n in diagnostic.notes
        ],
        "help": _cut(diagnostic.help_line) or None,
        "chain": [{"message": _cut(name), "place": _place(span)} for name, span in diagnostic.chain],
    }
