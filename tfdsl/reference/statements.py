"""Entries of statements, their words and settings, and the names that every program has.

Their text is that of the language reference. A topic says where it is: a heading, and perhaps a row of a table.
"""

import re
from collections.abc import Iterator

from ..record import Record
from ..syntax import tree as t
from ..types import DTYPE_NAMES
from .entry import Kind, ReferenceEntry
from .pages import Section, programs, sections, sentence

_PAGE = "language.md"
_PROGRAMS = (_PAGE, "nn.md", "engines.md")


class Topic(Record):
    """Where the language reference describes something: below the heading `title`, in the row that begins with `row` if
    there is one, and in the passages that name it. `trees` are the statements that it means, and `of` those that a
    clause is a part of."""

    kind: Kind
    name: str
    title: str
    row: str = ""
    trees: tuple[type[t.StatementTree], ...] = ()
    of: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # headings below which other passages name it


def _graph(name: str, tree: type[t.StatementTree], *also: str, title: str = "") -> Topic:
    return Topic("declaration", name, title or f"`{name}`", trees=(tree,), also=also)


def _in_session(name: str, tree: type[t.StatementTree], *also: str, title: str = "") -> Topic:
    return Topic("statement", name, title or f"`{name}`", trees=(tree,), also=also)


def _clause(name: str, *of: str, title: str = "`train`", also: tuple[str, ...] = ()) -> Topic:
    return Topic("clause", name, title, of=of, also=also)


TOPICS = (
    _graph("seed", t.Seed),
    _graph("graph_version", t.GraphVersion),
    _graph("param", t.Param, "Values from outside"),
    _graph("data", t.Data),
    _graph("placeholder", t.Placeholder),
    _graph("variable", t.Variable),
    _graph("shared", t.Variable),
    _graph("assignment", t.Assign, title="Assignment"),
    _graph("expression", t.ExpressionStatement, title="An expression"),
    _graph("loss", t.Loss),
    _graph("optimize", t.Optimize),
    _graph("apply", t.ApplyGradients),
    _graph("summary", t.Summary),
    _graph("signature", t.Signature),
    _graph("scope", t.Scope, "Names and scopes"),
    _graph("device", t.Device),
    _graph("container", t.Container),
    _graph("after", t.After),
    _graph("graph", t.Graph),
    _graph("def", t.Def),
    _graph("return", t.Return, title="`def`"),
    _graph("function", t.GraphFunction),
    _graph("for", t.For),
    _graph("if", t.If, "Conditions in sessions"),
    _graph("elif", t.If, "Conditions in sessions", title="`if`"),
    _graph("else", t.If, "Conditions in sessions", title="`if`"),
    _graph("while", t.While),
    _graph("import", t.Import),
    _graph("from", t.Import, title="`import`"),
    _in_session("session", t.Session),
    _in_session("init", t.Init),
    _in_session("restore", t.Restore),
    _in_session("save", t.Save),
    _in_session("run", t.Run),
    _in_session("print", t.Print),
    _in_session("set", t.Set),
    _in_session("expect", t.Expect),
    _in_session("log to", t.LogTo),
    _in_session("log", t.Log),
    _in_session("export", t.Export),
    _in_session("write", t.Write),
    _in_session("value of a session", t.Bind, title="Values of sessions"),
    _in_session("evaluate", t.Evaluate),
    _in_session("train", t.Train),
    _in_session("feed", t.Feed),
    _in_session("every", t.Every),
    _in_session("after every", t.Every),
    _in_session("keep", t.Keep, "Early stopping"),
    _in_session("stop after", t.StopAfter, "Early stopping"),
    _in_session("stop when", t.Stop),
    _in_session("checkpoint", t.Checkpoint),
    _clause("epochs", "train", "every", "stop after", also=("`every`",)),
    _clause("batches", "every", "train", title="`every`"),
    _clause("steps", "train", "every", "stop after", also=("`every`",)),
    _clause("seconds", "every", "checkpoint", title="`every`"),
    _clause("in batches of", "train", also=("`evaluate`",)),
    _clause("shuffled", "train"),
    _clause("ordered", "train"),
    _clause("sampled", "train"),
    _clause("on", "train", title="`session`", also=("`train`",)),
    _clause("with", "print", "optimize", "train", title="Feeds", also=("`train`",)),
    _clause("as", "train", title="Names and scopes", also=("`train`", "`evaluate`")),
    _clause("reuse", "scope", title="Names and scopes", also=("`scope`",)),
    _clause("wrt", "optimize", title="`optimize`", also=("Names and scopes",)),
    _clause("to", "save", "write", "keep", title="`save`", also=("`apply`",)),
    _clause("if exists", "restore", title="`restore`"),
    _clause("within", "expect", title="`expect`"),
    _clause("lowest", "keep", title="`keep`"),
    _clause("highest", "keep", title="`keep`"),
    _clause("lower", "stop after", title="`stop after`"),
    _clause("higher", "stop after", title="`stop after`"),
    _clause("without", "stop after", title="`stop after`"),
    _clause("by", "stop after", title="`stop after`"),
    Topic("clause", "and", "Operators", "and"),
    Topic("clause", "or", "Operators", "or"),
    Topic("clause", "not", "Operators", "not"),
    Topic("clause", "in", "Operators", "< <= > >= == != in"),
    Topic("clause", "later", "Raw ops"),
    Topic("clause", "true", "Text"),
    Topic("clause", "false", "Text"),
    Topic("clause", "none", "Text"),
    Topic("setting", "engine", "`train`", of=("train",)),
    Topic("setting", "on_nan", "`train`", of=("train",)),
    Topic("setting", "trainable", "`variable`", of=("variable",)),
    Topic("setting", "method", "Gradients and optimizers"),
    *(Topic("setting", name, "Gradients and optimizers") for name in ("clipnorm", "weight_decay", "slots")),
    Topic("name", "training", "The bool `training`"),
    Topic("name", "global_step", "`global_step`"),
    Topic("name", "epoch", "`train`"),
    Topic("name", "step", "`train`"),
    Topic("name", "now", "Strings in sessions", "now"),
    Topic("function", "variables", "Names and scopes"),
    Topic("function", "trainable_variables", "Names and scopes"),
    Topic("function", "column", "Transforms"),
)
_COLUMN = "age"  # the column in the examples of that page
_FIELDS = ("Fields", "Transforms")  # headings of tables that begin with fields of data, such as `.rows`


def statements(wanted: str = "") -> Iterator[ReferenceEntry]:
    """The entries of topics, built-in functions, fields of data, and dtypes. With a name, only the entries for it."""
    yield from (_entry(topic) for topic in TOPICS if wanted in ("", topic.name))
    yield from (one for one in _fields() if wanted in ("", one.name))
    section = sections(_PAGE)["Built-in functions"]
    for call, text in section.rows():
        if (found := re.match(r"`(\w+)\(", call)) and wanted in ("", found[1]):
            name = found[1]
            yield ReferenceEntry(
                "function", name, _code(call), text, _program(rf"\b{name}\(", name), page=section.place
            )
    section = sections(_PAGE)["Types"]
    for name in [one for one in DTYPE_NAMES if wanted in ("", one)]:
        example = f"placeholder x: {name}[n]\ny = identity(x)\n"
        if DTYPE_NAMES[name].kind == "opaque":
            example = f"x = raw.Placeholder(dtype={name}, shape=[])\ny = raw.Identity(input=x)\n"
        form = f"{name}, {name}[SIZE, ...]"
        yield ReferenceEntry("type", name, form, section.body(), example, tensorflow=f"tf.{name}", page=section.place)


def _entry(topic: Topic) -> ReferenceEntry:
    section = sections(_PAGE)[topic.title]
    row = _row(section, topic.row) if topic.row else None
    if row is not None:
        passages = [sentence(row[1]), *(one for one in _passages(topic, topic.title, *topic.also) if row[1] not in one)]
        signature = _code(row[0])
    elif topic.kind in ("declaration", "statement"):
        passages = [section.body(), *_passages(topic, *topic.also)]
        signature = section.form()
    else:
        passages = _passages(topic, topic.title, *topic.also)
        forms = [one.signature for name in topic.of for one in statements(name)]
        call = re.search(rf"`({topic.name}\(.*?\))`", "\n".join(passages))
        uses = "\n".join(form for form in forms if re.search(rf"\b{topic.name}\b", form))
        signature = uses or (call[1] if call and topic.kind == "function" else topic.name)
    return ReferenceEntry(
        topic.kind, topic.name, signature, "\n\n".join(passages), _example(topic, section), page=section.place
    )


def _fields() -> Iterator[ReferenceEntry]:
    """The entries of fields of data, including the values that transforms have learned. The table also has a column,
    `.age`, which is left out."""
    for section in map(sections(_PAGE).__getitem__, _FIELDS):
        for first, rest in section.rows():
            for call in re.findall(r"`(d?\.\w+.*?)`", first):
                name = call.partition(".")[2].partition("(")[0]
                if name != _COLUMN:
                    text = sentence(rest.replace(" | ", "; learned by "))
                    example = _program(rf"\.{name}\b", name)
                    yield ReferenceEntry("field", name, call, text, example, page=section.place)


def _row(section: Section, name: str) -> tuple[str, str] | None:
    """The row of a table whose first cell begins with a name."""
    return next((row for row in section.rows() if f"{_code(row[0])} ".startswith(f"{name} ")), None)


def _code(cell: str) -> str:
    return cell.replace("` `", " ").strip("`").replace("`", "")


def _passages(topic: Topic, *titles: str) -> list[str]:
    """The passages below headings that name it in code, or else such rows of tables."""
    name = re.compile(rf"(?<![\w.\"]){re.escape(topic.name)}(?![\w.])")

    def named(text: str) -> bool:
        return any(name.search(" ".join(code.split())) for code in re.findall(r"`(.+?)`", text, re.S))

    found = [sections(_PAGE)[title] for title in titles]
    passages = [re.sub(r":$", ".", one) for section in found for one in section.passages() if named(one)]
    rows = [f"{first}: {rest}" for section in found for first, rest in section.rows() if named(f"{first} {rest}")]
    return passages or rows


def _example(topic: Topic, section: Section) -> str:
    """A program with it: the one of its own section, or the shortest of the pages."""
    if topic.kind in ("declaration", "statement"):
        if not topic.row and (own := section.programs()):
            return own[0]
        return _program(rf"^(?: *|.*\S: ){topic.name} ", topic.name)
    if topic.of and topic.kind == "clause":
        return _program(rf"^(?: *|.*: )(?:{'|'.join(topic.of)}) .*\b{topic.name}\b", topic.name)
    return _program(rf"(?<![\w.\"]){topic.name}\b", topic.name)


def _program(pattern: str, name: str) -> str:
    """The shortest program of the pages with a line that a pattern fits."""
    fits = re.compile(pattern, re.M)
    return next((text for text in programs(*_PROGRAMS) if fits.search(text)), "")
