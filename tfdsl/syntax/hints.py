"""Help lines for common mistakes: syntax of other languages and half-remembered statements."""

import re

from ..diagnostics.spelling import did_you_mean, nearest
from ..source import Source
from .number_words import digits
from .tables import grammar_text


def _first_words(*kinds: str) -> tuple[str, ...]:
    """The first words of statements of some kinds, such as `simple` and `session_compound`."""
    text = grammar_text()
    words = dict(re.findall(r"^(\w+): ([A-Z_]+) ", text, re.M))
    alternatives = re.findall(rf"^_(?:{'|'.join(kinds)}): (.*(?:\n +\|.*)*)", text, re.M)
    rules = (rule for line in alternatives for rule in re.findall(r"\w+", line))
    return tuple(dict.fromkeys(words[rule].lower() for rule in rules if rule in words))


GRAPH_WORDS = (*_first_words("simple", "compound"), "elif", "else")
SESSION_WORDS = (*_first_words("session_simple", "session_compound"), "elif", "else")

# What others name to save or restore all variables.
WHOLE_MODEL = "model network net weights variables parameters params everything checkpoint graph session state".split()

# A training, for users who know `fit`.
TRAINED = "train 10 epochs on DATA in batches of 50 as batch: feed X = batch.features, y = batch.target"
# Early stopping.
PATIENCE = "stop after 10 epochs without lower COST"

# Syntax of other languages with its replacement here.
FOREIGN = {
    ";": "write each statement on its own line",
    "&": "write: and", "?": "? is an unknown size, as in float32[?, 3]",
    "\\": "a line continues inside brackets: (...)", "^": "powers are written **, as in x ** 2",
    "`": "strings use double quotes",
}  # fmt: skip
CURLY = {"\u201c": "\u201d", "\u201e": "\u201c\u201d", "\u201d": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"}

# The clauses of statements in order, for users who know the words but not the order.
FORMS = {
    "optimize": "optimize LOSS with OPTIMIZER(...) wrt VARIABLES as NAME",
    "train": "train N epochs on DATA in batches of SIZE shuffled seed N as NAME with OPTION=VALUE:",
    "evaluate": "NAME = evaluate VALUES on DATA in batches of SIZE as NAME with NAME = VALUE",
    "restore": "restore NAMES from PATH if exists",
    "save": "save NAMES to PATH",
    "write": "write VALUES to PATH with NAME = VALUE",
    "export": "export NAMES with NAMES to PATH",
    "expect": "expect CONDITION within TOLERANCE with NAME = VALUE",
    "checkpoint": "checkpoint every N steps in FOLDER",
    "keep": "keep lowest VALUE to PATH",
    "apply": "apply GRADIENTS to VARIABLES with OPTIMIZER(...) as NAME",
}
# Statements of other languages, and what to write instead.
NO_STATEMENTS = {
    **dict.fromkeys("class try except finally raise global nonlocal del async await yield".split(), ""),
    "lambda": "write a function of one line: def double(x): return 2 * x",
    "pass": "a block without statements is left out",
    "assert": "in a session, write: expect w > 0.0; in the graph half: assert_greater(w, 0.0)",
    "break": "a 'while' ends by its condition, as in: while i < 10 and x > 0.5; a training by: stop when x < 0.5",
    "continue": "write the rest of the block in an 'if'",
}
OPENS_BLOCK = frozenset(
    "scope device container after graph if elif else while for def function session train every".split()
)


_SEED = r"(?:\w+\.)*(?:(?:set|manual|global|random|rng|np|tf|torch)_)*seed"  # what other libraries call it
_CALL = 200  # characters of the arguments of a call that a help line repeats
_CODE = re.compile(r'(?:"(?:\\.|[^"\\])*+"?|[^"#])*+')
_OPERAND = re.compile(r"[\w.]*(?:\([^()]*\)|\[[^\[\]]*\])?")  # an operand that needs no brackets


def code_of(line: str) -> str:
    """A line without its comment."""
    code = _CODE.match(line)
    return code[0] if code else ""


def arguments(text: str) -> list[str]:
    """The parts of a text between commas that are in no brackets, up to a bracket that none opens."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def arguments_at(source: Source, offset: int) -> list[str]:
    """The arguments of a call, whose bracket is at an offset, each on one line. Empty if there is no bracket."""
    after = source.text[offset : offset + _CALL]
    return [" ".join(one.split()) for one in arguments(after[1:])] if after.startswith("(") else []


def calls_at(source: Source, offset: int) -> list[list[str]]:
    """The arguments of calls that follow each other at an offset, as in `(10)(X)` of `Dense(10)(X)`."""
    found: list[list[str]] = []
    while given := re.match(r"\((?:[^()]|\([^()]*\))*\)", source.text[offset : offset + _CALL]):
        found.append(arguments_at(source, offset))
        offset += given.end()
    return found


def first_word(source: Source, line: int) -> str:
    match = re.match(r"\s*([^\W\d]\w*)", source.line_text(line))
    return match[1] if match else ""


def in_session(source: Source, line: int) -> bool:
    """Whether a line is in the body of a session."""
    if not source.line_text(line)[:1].isspace():
        return False
    for above in range(line - 1, 0, -1):
        text = source.line_text(above)
        if text.strip() and not text[0].isspace() and text[0] != "#":
            word = first_word(source, above)
            return word == "session" or (word not in GRAPH_WORDS and nearest(word, GRAPH_WORDS) == "session")
    return False


def unopened(source: Source, line: int, word: str) -> int | None:
    """The line above a wrongly indented line, or above a line that begins with a word of a session, if it begins a
    block and lacks only its colon."""
    for above in range(line - 1, 0, -1):
        code = code_of(source.line_text(above)).strip()
        if code:
            opens = first_word(source, above) in OPENS_BLOCK if not word else re.fullmatch(r"session(\s+\w+)?", code)
            has_colon = ":" in re.sub(r"\[.*\]|\(.*\)|\".*\"", "", code)
            return above if opens and not has_colon else None
    return None


# The clauses of a `train` in order, with patterns for what people write instead.
_TRAIN = {
    r"(?:for\s+)?(?P<n>[\w.]+)\s+(?P<unit>epochs?|steps?)\b|"
    r"\b(?P<unit2>epochs|steps)(?:\s*=\s*|\s+(?=\d))(?P<n2>[\w.]+)":
        "{n} {unit}",
    r"\bon\s+(?P<data>[\w.]+)": "on {data}",
    r"\b(?:(?:in\s+)?batch(?:es)?\s+of(?:\s+size)?|(?:(?:with|in)\s+)?batch(?:_|\s+)?size(?:\s+of|[\s=:]+)|"
    r"(?:in\s+)?batch(?:es)?(?=\s+\d))\s*(?P<size>[\w.]+)":
        "in batches of {size}",
    r"\b(?P<order>shuffled|ordered|sampled)\b": "{order}",
    r"\bseed\s+(?P<seed>[\w.]+)": "seed {seed}",
    r"\bas\s+(?P<name>\w+)": "as {name}",
    r"\bwith\s+(?P<options>\w+\s*=.*)$": "with {options}",
}  # fmt: skip


def _train_in_order(row: str, has_batch: bool) -> str:
    """The first line of a training with its clauses in order; "" if it has other words, or is in order. `has_batch`
    says whether its body names the batch."""
    parts = re.match(r'train((?:"[^"]*"|[^":#])*)(:?(?:"[^"]*"|[^"#])*)', row)
    if parts is None:
        return ""
    head, rest = parts[1], parts[2].rstrip()
    found: dict[str, str] = {}
    left = head
    for pattern, form in _TRAIN.items():
        clause = re.search(pattern, left)
        if clause is not None:
            named = clause.groupdict()
            named |= {name: named[f"{name}2"] for name in ("n", "unit") if named.get(f"{name}2")}
            found[form] = form.format(**named).rstrip(" ,")
            left = left[: clause.start()] + " " + left[clause.end() :]
    if left.strip(" ,") or ("on {data}" not in found and "{n} {unit}" not in found):
        return ""
    found.setdefault("{n} {unit}", "10 epochs")
    if has_batch and "on {data}" in found:
        found.setdefault("as {name}", "as batch")
    ordered = " ".join(found[form] for form in _TRAIN.values() if form in found)
    return "" if ordered == " ".join(head.split()) else f"train {ordered}{rest or ':'}"


def _clause(word: str, token: str, row: str, has_batch: bool) -> str:
    """A help line for a clause in the wrong place, or one that lacks its unit. `has_batch` says whether the lines below
    name the batch of a training."""
    if word in ("train", "every") and re.fullmatch(rf"{word}\s+[^\s:]+\s*:.*", row):
        count = row[len(word) :].partition(":")[0].strip()
        if re.fullmatch("(epoch|batch|step|second)(e?s)?", count):
            return f"write how many: {word} {'1' if word == 'every' else '10'} {count}:"
        if joined := re.fullmatch(r"(\d[\d_]*)(\w+)", count):
            count = joined[1]
            if meant := nearest(joined[2].lower(), ("epochs", "steps")):
                return f"write: {word} {count} {meant}:"
        count = digits(count) or count
        return f"write the unit: {word} {count} epochs: or {word} {count} steps:"
    if word == "every" and (count := re.match(r"every\s+for\s+(\w+\s+\w+)", row)):
        return f"write: every {count[1]}:"
    if word == "train" and (counted := re.match(r"train\s+([\w.]+)\s+((?:on|in|as|with)\b.*)", row)):
        count, rest = counted.groups()
        if count in ("epochs", "steps"):
            return f"write how many: train 10 {count} {rest}"
        return f"write the unit: train {count} epochs {rest}"
    if word == "train" and (ordered := _train_in_order(row, has_batch)):
        return f"write: {ordered}"
    if test := re.match(r"stop\s+(?!when\b|after\b)(?:.*?\bwhen\s+|(?:if|once|at|until)\s+)?(.*[<>=].*)", row):
        return f"write: stop when {test[1]}"
    if given := re.match(r"(?:set\s+([\w.]+)\s+(?:to\s+)?|init\s+([\w.]+)\s*=\s*)([^=]+)$", row):
        return f"write: set {given[1] or given[2]} = {given[3]}"
    if word == "export" and (named := re.match(r"export\s+([^,]+)\s+as\s+(\w+)", row)) and token == "as":
        return f"name it in the graph half, {named[2]} = {named[1]}, and write: export {named[2]}"
    if word == "keep" and token == "best":
        return "write: keep lowest VALUE to PATH, or: keep highest VALUE to PATH"
    if word == "keep" and (kept := re.match(r"keep\s+(lowest|highest)\s+(\S+)\s+(?:in|as|into|at)\s+(.+)", row)):
        return f"write: keep {kept[1]} {kept[2]} to {kept[3]}"
    if word == "stop" and (
        waited := re.match(r"stop\s+after\s+[\w.]+\s+(?:epoch|batch|step)(?:e?s)?(?=\s*$|\s+without\s+\w+\s*$)", row)
    ):
        return f"write: {waited[0].strip()} without lower VALUE, or: without higher VALUE"
    if word == "stop" and "patience" in row:
        return f"write: {PATIENCE}"
    if logged := re.match(r"log\s+([\w., ]+?)\s+(?:to|in|into)\s+(\"[^\"]*\")$", row):
        return f"write above the training: log to {logged[2]}; and here: log {logged[1]}"
    if word == "evaluate" and token == "evaluate":
        return f"give the result a name: result = {row}"
    form = FORMS.get(word)
    return f"its parts are in this order: {form}" if form and token in form.split() else ""


def declared_names(source: Source, pattern: str) -> list[str]:
    """The names that lines of a file declare."""
    return [match[1] for match in re.finditer(pattern, source.text, re.MULTILINE)]


def free_name(source: Source, name: str) -> str:
    """The name, or with a number behind it one that the text does not have, such as `X2`."""
    stem = name.rstrip("0123456789")
    number = int(name[len(stem) :] or 1)
    while re.search(rf"\b{name}\b", source.text):
        number += 1
        name = f"{stem}{number}"
    return name


def session_value(source: Source, name: str) -> str:
    """The name that a session can give to a changed value: a free one, if the graph half has the name."""
    return free_name(source, name) if name in declared_names(source, r"^([^\W\d]\w*)\s*=(?!=)") else name


_TARGET = re.compile(r"y(?:_|s|_true|_batch)?|targets?|labels?", re.IGNORECASE)
_FEATURES = re.compile(r"x(?:_|s|_batch)?|features?|inputs?|images?", re.IGNORECASE)


def fed_from(placeholders: list[str], owner: str) -> list[tuple[str, str]]:
    """Placeholders, each with the features or the target of a batch or of data. Empty if their names leave in doubt
    which is which."""
    fields = [
        "target" if _TARGET.fullmatch(name) else "features" if _FEATURES.fullmatch(name) else ""
        for name in placeholders
    ]
    is_sure = all(fields) and len(set(fields)) == len(fields)
    return [(name, f"{owner}.{field}") for name, field in zip(placeholders, fields, strict=True)] if is_sure else []


_UNITS = {  # what each statement counts; a longer word is tried first
    "after every": "epochs batches steps", "checkpoint every": "epochs steps seconds",
    "every": "epochs batches steps seconds", "stop after": "epochs batches steps", "train": "epochs steps",
}  # fmt: skip
_COUNTED = re.compile(rf"\b({'|'.join(_UNITS)})\s+(?:for\s+)?(\d[\d_.]*(?!\w)|[^\W\d][\w.]*)\s+([^\W\d]\w*)")
SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "h": 3600, "day": 86400}
_STEPS = ("iteration", "iter", "update", "time", "turn", "cycle")
PART_OF_EPOCH = "for a part of an epoch, count steps, as in: 50 steps"


def unit(row: str) -> str:
    """A help line for the last statement of a line that counts something else than units, or counts them after `for`.
    "" for other lines."""
    counted = list(_COUNTED.finditer(row))
    if not counted:
        return ""
    statement, count, token = counted[-1].groups()
    begin, rest = row[: counted[-1].start()].lstrip(), row[counted[-1].end() :].rstrip()
    units = _UNITS[statement].split()
    one = token[:-1] if token.endswith("s") and len(token) > 1 else token
    one = one if one in SECONDS or len(one) < 4 else nearest(one, SECONDS) or one
    known = " or ".join((", ".join(units[:-1]), units[-1]))
    if count == "half":
        return PART_OF_EPOCH
    count = digits(count) or count
    if token == "without" or token in SESSION_WORDS:  # the unit lacks
        joint = " " if token == "without" else ": "
        return f"write what it counts, {known}: {begin}{statement} {count} {units[0]}{joint}{token}{rest}"
    if (meant := nearest(token, units)) is not None:
        return f"write: {begin}{statement} {count} {meant}{rest}"
    if one in SECONDS and "seconds" in units and count.isdecimal():
        return f"write: {begin}{statement} {int(count) * SECONDS[one]} seconds{rest}"
    if one in SECONDS:
        return f"'{statement}' counts {known}, no time: write: {begin}{statement} {count} {units[0]}{rest}"
    if one in _STEPS:
        return f"write: {begin}{statement} {count} steps{rest}"
    return f"write what it counts, {known}: {begin}{statement} {count} {units[0]}{rest}"


def unindented(source: Source, header: int, line: int) -> str:
    """A help line for a line that belongs to the training above it, but is not indented."""
    word, row = first_word(source, line), source.line_text(line).partition("#")[0].strip()
    is_inner = word in ("feed", "every", "after", "stop", "keep", "checkpoint", "log")
    if header >= line or first_word(source, header) != "train" or not is_inner or row.startswith("log to"):
        return ""
    return f"indent line {line}, which belongs to the training: {row}"


def indented_into(source: Source, line: int) -> str:
    """A help line for a statement of a session, in the first column below the block of a session. "" elsewhere."""
    for above in range(line - 1, 0, -1):
        text = source.line_text(above)
        if text[:1].strip() and text[0] != "#":
            header = first_word(source, above) == "session"
            return f"indent line {line} by 4 spaces, into the session of line {above}" if header else ""
    return ""


def empty_training(source: Source, line: int) -> str:
    """What to write into a training without statements, whose first line is given. "" for other statements."""
    begun = re.match(r"\s*(train\b[^:#]*?)\s*(:|#|$)", source.line_text(line))
    if not begun:
        return ""
    fed = declared_names(source, r"^placeholder\s+(\w+)")
    if fed and re.search(r"\son\s", begun[1]):
        named = re.search(r"\sas\s+(\w+)", begun[1])
        batch, header = (named[1], begun[1]) if named else ("batch", f"{begun[1]} as batch")
        made = fed_from(fed, batch) or [(name, "...") for name in fed]
        feeds = ", ".join(f"{name} = {value}" for name, value in made)
        return f"a training has at least one statement: feed it, as in: {header}: feed {feeds}"
    steps = declared_names(source, r"^(?:optimize|apply)\b.*\sas\s+(\w+)")
    if steps:
        return f"a training has at least one statement: write: {begun[1]}: run {steps[0]}"
    made = declared_names(source, r"^((?:optimize|apply)\b[^#\n]*[^\s#])")
    name = f"name the step, {made[0]} as step, and " if made else ""
    return f"a training has at least one statement: {name}write: {begun[1]}: run step"


def seed_statement(row: str) -> str:
    """A help line for a line that seeds a run as other libraries do, such as `set_seed(42)`. "" for other lines."""
    given = re.fullmatch(rf"{_SEED}(?:\s+|\s*[=:]\s*|\s*\()(\d+)\s*\)?", row)
    return f"write at the top of the file: seed {given[1]}" if given else ""


_BAR_LAST = "a transform follows | on its line: leave the last | out, or write it at the start of the next line"


def _before_bar(source: Source, line: int, row: str, before: str) -> str:
    """A help line for a | where none can stand: it belongs to a declaration of data, or is meant as `or`. `before` is
    the text before it on its line."""
    head = line
    while head > 1 and (not source.line_text(head).strip() or source.line_text(head).strip()[0] in "|#"):
        head -= 1
    begun = code_of(source.line_text(head)).strip()
    if line > 1 and code_of(source.line_text(line - 1)).rstrip().endswith("|"):
        return _BAR_LAST
    if re.match(r"data\b", begun):
        return "write: |"
    if head < line and re.match(r"[^\W\d]\w*\s*=[^=]", begun):
        return f"write: data {begun}"
    if re.match(r'[^\W\d]\w*\s*=\s*\w+\((?:|\d[^()]*|"[^()]*)\)\s*\|\s*\w+', row):
        return f"write: data {row}"
    named = re.match(r"([^\W\d]\w*)\s*=\s*([^\W\d]\w*)\s*(\|\s*[^\W\d].*)", row)
    if named and named[2] not in ("true", "false"):
        declared = re.search(rf"^data\s+{named[2]}\s*=\s*([^\n#]*[^\s#])[^\n]*\n?(\s*\|)?", source.text, re.MULTILINE)
        if declared and declared[2]:
            return f"a transform belongs to the declaration of {named[2]}: write at its end: {named[3]}"
        if declared:
            return f"transforms belong to the declaration: write: data {named[1]} = {declared[1]} {named[3]}"
        return f"for data, write: data {named[1]} = {named[2]}() {named[3]}; for conditions, write: or"
    if re.search(r"(?:^|:)\s*$", before):
        return "| goes on with a declaration of data: leave it out here"
    return "write: or"


def _session_name(row: str) -> str:
    """A help line for the first line of a session whose name is none. "" for other lines."""
    parts = re.match(r"session\s+([^:]*?)\s*(\bon\b[^:]*)?(:|$)", row)
    if parts is None or not parts[1] or parts[1].isidentifier():
        return ""
    name, on = re.sub(r"\W+", "_", parts[1]).strip("_"), f" {parts[2].strip()}" if parts[2] else ""
    return f"write: session {name if name.isidentifier() else 'NAME'}{on}:"


def gap_help(column: str, is_present: bool, value: str = "", filled: str = "") -> str:
    """What a condition has in place of a test for missing cells. `column` is given as it is written. `filled` is the
    transform that gives them a value, if it is known."""
    if is_present:
        return f"{column} == {column} holds in the rows that have it: where({column} == {column})"
    begin = "rows in which it is missing are left out: to choose them, give them a value first"
    if not filled:
        name = column[len("column(") : -1] if column.startswith("column(") else f'"{column}"'
        return f'{begin}: | fill({name}, with=0) | where({column} == 0); for text, with="none"'
    return f"{begin}: | {filled} | where({column} == {value})"


def no_statement(word: str) -> str:
    """A help line for a statement of other languages."""
    return f"the language has no '{word}'" + (f": {NO_STATEMENTS[word]}" if NO_STATEMENTS[word] else "")


def hint(source: Source, text: str, start: int, word: str, kind: str) -> str:
    """A help line for a common mistake, or ""."""
    line = source.position(min(start, len(source.text)))[0]
    row = code_of(source.line_text(line)).strip()
    changed = re.match(r"([^\W\d]\w*)\s*(\*\*|//|[-+*/%@])=\s*(.+)", row)
    if changed and in_session(source, line):
        name, operator, other = changed.groups()
        is_variable = name in declared_names(source, r"^\s*variable\s+(\w+)")
        target = f"set {name}" if is_variable else session_value(source, name)
        whole = other if _OPERAND.fullmatch(other) else f"({other})"
        return f"write: {target} = {name} {operator} {whole}"
    before = text[source.position_of(line) : start]
    if share := re.search(r"(?<![\w.])(\d+(?:\.\d+)?)\s*%\s*$", before):
        return f"a percentage is written as a fraction: {float(share[1]) / 100:g}"
    if kind == "EQUAL" and before.strip() == word:
        return f"'{word}' begins a statement: choose another name"
    if word == "session" and (help := _session_name(row)):
        return help
    if kind == "EQUAL" and text[start - 1 : start] in tuple("+-*/%@"):
        if changed is None:
            return "write x = x + ...; to change a variable while it runs: assign_add(x, ...)"
        name, operator, other = changed.groups()
        is_variable = name in declared_names(source, r"^\s*variable\s+(\w+)")
        if is_variable and operator in "+-":
            call = f"assign_add({name}, {other})" if operator == "+" else f"assign_sub({name}, {other})"
            return f"to change a variable while it runs, make an op, and run it: update = {call}"
        return f"write: {name} = {name} {operator} {other}"
    if kind == "EQUAL" and word in ("if", "elif", "while", "stop", "expect"):
        return "to compare, write: =="
    if kind == "STRING" and text[start - 2 : start] == '""':
        return 'a string is between single " marks; a line break in it is written \\n'
    if kind == "STRING" and re.search(r"(?<!\w)B$", text[:start]):
        return 'bytes are written with a small b: b"\\xff"'
    if re.match(r"signature\s+[^\W\d]\w*\s*:", row):
        return 'the name of a signature is a string: signature "serving_default": ...'
    if kind == "STRING" and re.search(r"(?<!\w)[fFrRuU]$", text[:start]):
        return 'strings have no prefix; names in braces are replaced by their values all the same: print "step {step}"'
    if word == "with" and (way := _context(row)):
        return way
    if word == "summary" and (of := re.fullmatch(r"summary\s+([^\W\d][\w.]*)", row)):
        return f"write: summary scalar {of[1]}"
    if word == "minimize":
        return "write: optimize LOSS with adam(learning_rate=0.001)"
    gap = re.match(r"is\s+(not\s+)?(?:none|null|nan)\b", text[start:], re.IGNORECASE)
    if gap and (tested := re.search(r"[(\s](\w+|column\(\"[^\"]*\"\))\s+$", before)) and "where(" in row:
        return gap_help(tested[1], bool(gap[1]))
    begun = re.search(r"\bwhere\([^\"]*?(\w+)\s+$", text[source.position_of(line) : start])
    if begun and re.match(r"data\b.*=|\|", row) and (end := re.match(r"[^\W\d]\w*", text[start:])):
        return f'a column whose name is not a word is written: column("{begun[1]} {end[0]}")'
    if kind == "LPAR" and (made := re.search(r"\bon\s+(\w+)\s*$", before)):
        return f"'on' takes a name of data: declare it in the graph half, as in data d = {made[1]}(...), and write on d"
    if re.match(r"[\w\s,]*=\s*evaluate\b", row) and in_session(source, line):
        return f"its parts are in this order: {FORMS['evaluate']}"
    if kind == "DOT" and re.fullmatch(r"\s*(placeholder|variable|shared|param)\s+\w+\s*:\s*\w+", before):
        dtype = re.match(r"\.(\w+)", text[start:])
        return f"types have no module before them: write {dtype[1]}" if dtype else ""
    if re.search(r"\blambda\s+$", before):
        return "functions have names: write above it def double(x): return 2 * x, and here double"
    if kind == "_NL" and word == "optimize" and (given := re.fullmatch(r"optimize\s+(\w+\(.*\))", row)):
        losses = re.fullmatch(r"(\w+)\(([^\W\d][^=]*)\)", given[1])
        if losses:
            first = "0.9, " if losses[1] == "momentum" else ""
            return f"write: optimize {losses[2]} with {losses[1]}({first}learning_rate=0.001)"
        return f"an optimizer comes after 'with': optimize with {given[1]}, or optimize cost with {given[1]}"
    if kind == "DOT" and re.match(r"data\b.*=|\|", row):
        stage = re.match(r"\.(\w+(?:\([^()]*\))?)", text[start:])
        if stage and text[:start].rstrip()[-1:] in tuple('")]'):
            return f"write: | {stage[1]}"
        return "sources and transforms have no module before them, and follow each other after |"
    if before.rstrip().endswith("|") and re.match(r"data\b.*=|\|", row) and not text[start:].split("\n")[0].strip():
        return _BAR_LAST
    if kind == "VBAR":
        return _before_bar(source, line, row, before)
    if seeded := seed_statement(row):
        return seeded
    if re.match(r"//|[^\"]*\s(//|--)\s*\w+,?\s+\w|[^\"]*(^|\s)/\*", row):
        return "a comment begins with #"
    token = re.match(r"\w+", text[start:])
    if token and token[0] == "is" and word != "is":
        return "to compare, write: =="
    if word == "print" and kind == "EQUAL" and re.search(r"\b(sep|end|file|flush)\s*$", text[:start]):
        return "print has no options: it writes its values on one line, with spaces between them"
    is_first = not before.strip() and token is not None and token[0] == word and not _of_python(row)
    if is_first and word in GRAPH_WORDS and word not in (*SESSION_WORDS, "while") and in_session(source, line):
        return f"'{word}' belongs to the graph: put it before the session"
    has_batch = re.search(r"\bbatch\.\w", source.text[source.position_of(line) :]) is not None
    clause = _clause(word, token[0] if token else "", row, has_batch)
    if clause:
        return clause
    foreign = re.search(r"(?:^|\s)(\w+)\s+$", before)
    if (test := re.match(r"if\s+([^:]+):\s*(?:break|stop)\s*$", row)) and in_session(source, line):
        return f"write: stop when {test[1]}"
    above = next((one for one in range(line - 1, 0, -1) if source.line_text(one).strip()), line)
    if re.fullmatch(r"pass\b", token[0] if token else "") and (
        help := empty_training(source, line if before.strip() else above)
    ):
        return help
    for one in (word, foreign[1] if foreign else "", token[0] if token and re.search(r"(^|:)\s*$", before) else ""):
        if one in NO_STATEMENTS:
            return no_statement(one)
    inner = re.search(r":\s*(\w+)\s+$", before)
    if inner and inner[1] in SESSION_WORDS and inner[1] not in GRAPH_WORDS and not in_session(source, line):
        return f"'{inner[1]}' is only allowed in a session"
    if inner and inner[1] in OPENS_BLOCK:
        return f"'{inner[1]}' has a block of its own: write it on the next line, indented"
    unpacked = re.search(r"\b(?:feed|with)\s+(\w+)\s*,\s*(\w+)\s*=\s*([\w.]+)", row)
    if unpacked and kind == "COMMA":
        first, second, data = unpacked.groups()
        made = fed_from([first, second], data) or [(first, "..."), (second, "...")]
        return f"give each a value of its own: {', '.join(f'{name} = {value}' for name, value in made)}"
    typed = re.match(r"(variable|placeholder)\s+(\w+)\s*(\[[^\]]*\])", row)
    if kind in ("LPAR", "LBRACE", "LESSTHAN") and (
        sizes := re.match(r"(?:placeholder|variable|shared|param)\s+\w+\s*:\s*(\w+)\s*[({<]([^()\[\]{}<>]*)[)}>]", row)
    ):
        return f"the sizes are in square brackets: {sizes[1]}[{sizes[2].strip().rstrip(',')}]"
    if typed and kind == "LSQB":
        return f"write the type: {typed[1]} {typed[2]}: float32{typed[3]}"
    if word == "placeholder":
        return "a placeholder needs a type, as in: placeholder X: float32[?, 3]" if ":" not in row else ""
    if re.match(r"else\s+if\b", row):
        return "write elif, and a condition"
    if word in ("elif", "else"):
        return f"'{word}' follows the block of an 'if', in the same column"
    if in_session(source, line):
        if help := _of_python(row) or _often(row):
            return help
        if (changed := re.match(r"(\w+(?:\.\w+)+\s*=(?!=)\s*\S.*)", row)) and not before.strip():
            return f"write: set {changed[1]}"
        if named := re.match(r"([\w.]+)\s*=\s*eval\s+\w", row):
            return f"to compute something once, write: {named[1]} = loss with X = ...; over the rows of data: evaluate"
        if run := re.match(r"([\w., ]+?)\s*=\s*run\s+(\w.*)", row):
            return f"write: {run[1]} = {run[2]}"
        if word == "evaluate":
            return f"give the result a name: result = {row}"
        if word in ("initialize", "initialise"):
            return "variables have their initial values when a session begins; to reset them, write: init"
        if word == "while":
            return "a session repeats statements with train, as in: train 100 steps: and in it: stop when x < 0.5"
        if given := re.fullmatch(r'(save|restore)\((?:([\w., ]+?),\s*)?("[^"]*")\)', row):
            names = f" {given[2]}" if given[2] and given[2] not in ("sess", "session") else ""
            return f"write: {given[1]}{names} {'to' if given[1] == 'save' else 'from'} {given[3]}"
        if word in FORMS and re.match(r"\w+\(", row):
            return f"statements have no brackets: {FORMS[word]}"
        if word in SESSION_WORDS and re.match(r"\w+\(", row):
            return f"statements have no brackets, and values are fed behind 'with': {word} VALUES with NAME = VALUE"
        if re.match(r"\w+\(", row):
            return f"to compute it, write: run {row}"
    elif word in SESSION_WORDS and word not in GRAPH_WORDS and not re.match(r"\w+\s*[=(.\[]", row):
        return f"'{word}' is only allowed in a session"
    return ""


_CONTEXTS = {  # what begins a `with` of Python, with what stands here; {0} is its argument
    "name_scope": "write: scope {0}:", "variable_scope": "write: scope {0}:", "scope": "write: scope {0}:",
    "device": 'write: device "{0}":', "control_dependencies": "write: after {0}:",
    "session": "write: session:", "graph": "write: graph {0}:",
    "gradienttape": "gradients need no tape: write: dw = gradients(cost, w)",
    "no_grad": "only 'optimize' and 'gradients' compute gradients; to keep them from a value, write: stop_gradient(x)",
}  # fmt: skip


def _context(row: str) -> str:
    """A help line for a `with` of Python. "" for other lines."""
    opened = re.match(r"with\s+(?:\w+\.)*(\w+)\(\s*([^)]*?)\s*\)", row)
    way = _CONTEXTS.get(opened[1].lower(), "") if opened else ""
    return way.format(opened[2].strip("[]\"'") or "name") if opened else ""


_OFTEN = re.compile(
    r"(?!(?:after|checkpoint|every|train)\b)(?P<first>[a-z]+)\s+(?P<rest>(?:\"[^\"]*\"|[^\"])*?)\s+(?P<after>after\s+)?every\s+"
    r"(?:(?P<n>\w+)\s+)?(?P<unit>epoch|batch|step|second)(?:e?s)?"
)


def _often(row: str) -> str:
    """A help line for a statement with the time at which it runs behind it, as in `print cost every 2 epochs`."""
    found = _OFTEN.fullmatch(row)
    if found is None or found["first"] not in SESSION_WORDS:
        return ""
    count, unit = found["n"] or "1", found["unit"]
    unit += "" if count == "1" else "es" if unit == "batch" else "s"
    return f"write: {'after ' if found['after'] else ''}every {count} {unit}: {found['first']} {found['rest']}"


def _of_python(code: str) -> str:
    """A help line for a line of a session in the style of Python."""
    if assigned := re.fullmatch(r"([\w.]+)\.(?:assign|load)\((.+)\)", code):
        return f"write: set {assigned[1]} = {assigned[2]}"
    if re.fullmatch(r"(?:\w+\.)*(?:zero_grad|backward|step|apply_gradients|minimize)\(.*\)", code):
        return "a training takes the step of its optimize by itself: leave the line out"
    if mode := re.fullmatch(r"\w+\.(train|eval)\(\)", code):
        truth = "true" if mode[1] == "train" else "false"
        return f"layers know by themselves that training is {truth} there: leave the line out"
    if saved := re.fullmatch(r"\w+(?:\.\w+)*\.save(?:_weights)?\([^\"]*(\"[^\"]*\").*\)", code):
        return f"write: save to {saved[1]}"
    if loaded := re.fullmatch(r"\w+(?:\.\w+)*\.(?:restore|load(?:_weights|_model)?)\([^\"]*(\"[^\"]*\").*\)", code):
        return f"write: restore from {loaded[1]}"
    if run := re.fullmatch(r"(?:\w+\.)?(?:sess|session)\.run\((.+?)(?:,\s*(?:feed_dict\s*=\s*)?\{(.*)\})?\)", code):
        feeds = re.sub(r"(\w+)\s*:\s*", r"\1 = ", run[2] or "")
        return f"write: run {run[1].strip('[]')}{feeds and f' with {feeds}'}"
    if loaded := re.match(r"load(?:_model|_weights)?\s*\(?\s*(\"[^\"]*\")", code):
        return f"write: restore from {loaded[1]}"
    if re.match(r"(\w+\.)*(early_?stopping)\b", code, re.IGNORECASE):
        return (
            "write after an evaluate in the training, as in seen = evaluate cost on d.validation ...: "
            "stop after 5 epochs without lower seen"
        )
    if re.match(r"(\w+\.)?fit\b", code):
        return f"write: {TRAINED}"
    return ""


def misspelt(source: Source, line: int, word: str) -> str:
    """A help line if the line starts with a misspelt statement."""
    words = SESSION_WORDS if in_session(source, line) else GRAPH_WORDS
    return "" if not word or word in words else did_you_mean(word, words)


def unknown_word(source: Source, line: int, word: str) -> str:
    """A help line if the line is in a session and starts with a word that begins no statement."""
    if not word or word in SESSION_WORDS or not in_session(source, line):
        return ""
    return "a line of a session begins with a word such as run, print, set, train, save or restore"
