"""The tokens of a text by a TextMate grammar, as far as the project's grammar needs: `match`, `begin` and `end`, captures,
and what a grammar includes of its repository."""

import re
from functools import cache

compiled = cache(re.compile)


def tokens(grammar, text):
    """The offset, the text and the innermost scope of each piece that has one, line by line."""
    made = {}

    def patterns(rule):
        if id(rule) not in made:
            made[id(rule)] = list(_patterns(grammar, rule))
        return made[id(rule)]

    open_ = [({"patterns": grammar["patterns"]}, None)]  # the rules that are open, and the patterns of their ends
    begin = 0
    for line in text.splitlines(keepends=True):
        row = line.rstrip("\n")
        yield from ((begin + at, part, scope) for at, part, scope in _line(patterns, row, open_))
        begin += len(line)


def _line(patterns, row, open_):
    at = 0
    known: dict[str, re.Match[str] | None] = {}  # what patterns found in this line
    stood = set()  # the rules that were opened here without a character, so that none is opened for ever
    while at <= len(row):
        rule, end = open_[-1]
        found = []
        for number, (pattern, inner) in enumerate([(end, None), *patterns(rule)] if end else patterns(rule)):
            if pattern not in known or (known[pattern] and known[pattern].start() < at):
                known[pattern] = compiled(pattern).search(row, at)
            if known[pattern]:
                found.append((known[pattern].start(), number, known[pattern], inner))
        if not found:
            yield from _plain(row, at, len(row), rule)
            return
        start, _, match, inner = min(found, key=lambda one: one[:2])
        yield from _plain(row, at, start, rule)
        if inner is None:
            open_.pop()
            yield from _plain(row, start, match.end(), rule)
        elif "begin" in inner:
            assert (start, inner["begin"], len(open_)) not in stood or match.end() > start
            stood.add((start, inner["begin"], len(open_)))
            yield from _captured(match, inner, "beginCaptures")
            open_.append((inner, re.sub(r"\\(\d)", lambda one, m=match: re.escape(m[int(one[1])]), inner["end"])))
        else:
            assert match.end() > start, inner
            yield from _captured(match, inner, "captures")
        at = match.end()
        if at == len(row) and start == at and inner is not None:
            return


def _patterns(grammar, rule):
    """The patterns of a rule with their rules, and those of the rules that it includes."""
    for one in rule["patterns"]:
        one = grammar["repository"][one["include"].removeprefix("#")] if "include" in one else one
        pattern = one.get("begin") or one.get("match")
        yield from [(pattern, one)] if pattern else _patterns(grammar, one)


def _captured(match, rule, key):
    captures = rule.get(key, {})
    if not captures:
        yield from _plain(match.string, match.start(), match.end(), rule)
    for number, one in captures.items():
        if match[int(number)]:
            yield match.start(int(number)), match[int(number)], one["name"]


def _plain(row, start, end, rule):
    if rule.get("name") and start < end:
        yield start, row[start:end], rule["name"]
