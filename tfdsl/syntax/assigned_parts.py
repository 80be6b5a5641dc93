"""Help lines for assignments to a part of a value, as in `w[0] = 3`, `w[0] += 1` and `dense.bias = 0`."""

import re

from ..source import Source
from .hints import declared_names, free_name, session_value

_PART = re.compile(
    r"(?P<begin>[^\"\[=]*:\s+)?(?:set\s+)?(?P<name>[^\W\d][\w.]*)"
    r"\[(?P<at>[^\]]*(?:\[[^\]]*\])?[^\]]*)\]\s*(?P<change>[-+*/]?)=(?!=)\s*(?P<value>.*\S)"
)
_MEMBER = re.compile(r"(?P<name>[^\W\d]\w*(?:\.\w+)+)\s*=(?!=)\s*(?P<value>.*\S)")
_PARTS = (
    "rows and single elements of a variable can be written, with scatter_update(v, rows, values) and "
    "scatter_nd_update(v, [[row, column]], values), or all of it, with assign(v, value)"
)
_ANOTHER = (
    "a tensor does not change: where(condition, x, y) and tensor_scatter_nd_update(x, indices, values) make another one"
)
_NUMBER = r"-?\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?"
_WRITES = {"": "update", "+": "add", "-": "sub", "*": "mul", "/": "div"}


def assigned_part(source: Source, row: str, in_session: bool = False) -> str:
    """What to write for a line that assigns to a part of a value. "" for other lines."""
    part = _PART.fullmatch(row)
    if part is None:
        member = _MEMBER.fullmatch(row)
        return _as_op(source, f"assign({member['name']}, {member['value']})") if member and not in_session else ""
    name, value, begin = part["name"], part["value"], part["begin"] or ""
    if name in declared_names(source, r"^\s*data\s+(\w+)"):
        return "no transform computes a column: prepare the file before, or compute it in the graph, from what is fed"
    if name in declared_names(source, r"^\s*(\w+)\s*=\s*\["):
        return f"a list does not change: make another one, or write the value into {name} where it is made"
    is_variable = "." in name or name in declared_names(source, r"^\s*(?:variable|shared)\s+(\w+)")
    sign, is_fed = part["change"], name in declared_names(source, r"^\s*placeholder\s+(\w+)")
    target = free_name(source, name) if is_fed else session_value(source, name) if in_session else name
    if re.fullmatch(r"\.\.\.|:(?:\s*,\s*:)*", part["at"].strip()):
        changed = f"{name} {sign} {value}" if sign else _filled(name, value)
        if is_variable:
            return (
                f"write: {begin}set {name} = {changed}" if in_session else _as_op(source, f"assign({name}, {changed})")
            )
        return f"write: {begin}{target} = {changed}"
    if re.search(r"[<>]|[=!]=", part["at"]):
        value = f"{name} {sign} {value}" if sign else f"{value} * ones_like({name})"
        chosen = f"where({part['at']}, {value}, {name})"
        if is_variable:
            return f"write: {begin}set {name} = {chosen}" if in_session else _as_op(source, f"assign({name}, {chosen})")
        return f"write: {begin}{target} = {chosen}"
    places = [_place(one, name, axis) for axis, one in enumerate(part["at"].split(","))]
    if not all(places) or (len(places) > 1 and any(one.startswith("range") for one in places)):
        return _PARTS if is_variable else _ANOTHER
    write, where = _WRITES[sign], ", ".join(places)
    if one := re.fullmatch(rf"\[+\s*({_NUMBER})\s*\]+", value):
        value = one[1]  # all elements get it, however many there are
    elif where.startswith("range") and _is_row(source, name, value):
        value = f"{value} * ones_like({name}[{part['at']}])"  # all rows get it
    if is_variable:
        is_row = len(places) == 1
        arguments = f"{name}, {where}, {value}" if is_row else f"{name}, [[{where}]], [{value}]"
        call = f"scatter_{'' if is_row else 'nd_'}{write}({arguments})"
        return f"write: {begin}run {call}" if in_session else _as_op(source, call)
    if write in ("mul", "div") or where.startswith("range"):
        return _ANOTHER
    return f"write: {begin}{target} = tensor_scatter_nd_{write}({name}, [[{where}]], [{value}])"


def _is_row(source: Source, name: str, value: str) -> bool:
    """Whether a value is a list of numbers for each row of a variable of several axes."""
    of_rows = rf"^\s*(?:variable|shared)\s+({re.escape(name)})\s*:\s*\w+\[[^\]]*,"
    return bool(re.fullmatch(r"\[[^\[\]]*\]", value) and declared_names(source, of_rows))


def _filled(name: str, value: str) -> str:
    """A tensor of the shape of another one with numbers in it, or the tensor that a value is."""
    number = re.fullmatch(rf"\[*\s*({_NUMBER})\s*\]*", value)
    if number and float(number[1]) == 0:
        return f"zeros_like({name})"
    return f"{number[1] if number else value} * ones_like({name})" if number or value[0] == "[" else value


def _as_op(source: Source, call: str) -> str:
    name = free_name(source, "update")
    return f"to change a variable while it runs, make an op, {name} = {call}, and in a session: run {name}"


def _place(index: str, name: str, axis: int) -> str:
    """The numbers of the elements that an index or a slice takes on an axis. "" for other forms."""
    if "..." in index:
        return ""
    begin, colon, end = (one.strip() for one in index.partition(":"))
    size = f"{name}.shape[{axis}]"
    begin, end = (f"{size} - {one[1:]}" if re.fullmatch(r"-\d+", one) else one for one in (begin, end))
    if not all(re.fullmatch(r"[\w. +-]*(?:\.shape\[\d\] - \d+)?", one) for one in (begin, end)):
        return ""
    return f"range({begin or 0}, {end or size})" if colon else begin
