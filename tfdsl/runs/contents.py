"""What the files of a record must have to be read. Anything else may lack, and there may be more."""

import os
from collections.abc import Callable, Mapping

from ..limits import Limits
from ..narrowing import is_list, is_object

Check = Callable[[object], bool]  # of a value of JSON

_LATEST = 253_402_300_800  # the year 10000, in seconds since 1970


def _is(*kinds: type) -> Check:
    """A value of some types. A bool is no number."""
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list(check: Check) -> Check:
    return lambda value: is_list(value) and all(map(check, value))


def _each(check: Check) -> Check:
    """An object whose values all pass."""
    return lambda value: is_object(value) and all(map(check, value.values()))


def _with(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with some keys. Those that are optional may lack."""

    def check(value: object) -> bool:
        return (
            is_object(value)
            and all(key in value and one(value[key]) for key, one in needed.items())
            and all(key not in value or one(value[key]) for key, one in (optional or {}).items())
        )

    return check


def _is_moment(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _LATEST


def _is_path(value: object) -> bool:
    """A full path. A run is repeated with its files below a folder, which a path with `..` would leave."""
    return isinstance(value, str) and os.path.isabs(value) and value == os.path.normpath(value) and "\0" not in value


def _any(value: object) -> bool:
    return True


def _is_data(value: object) -> bool:
    """A description of data. What was not loaded has none of the facts about its rows."""
    is_loaded = is_object(value) and "rows" in value
    return _with(_DATA | (_LOADED if is_loaded else {}), {"sha256": _TEXT})(value)


_NUMBER, _TEXT, _WHOLE, _FLAG, _OBJECT = _is(int, float), _is(str), _is(int), _is(bool), _is(dict)
_COLUMN = _with({"name": _TEXT, "dtype": _TEXT})
_FILES = _list(_with({"path": _is_path, "size": _or_none(_WHOLE), "sha256": _or_none(_TEXT)}))
_LOADED = {"rows": _WHOLE, "parts": _each(_WHOLE), "decided": _OBJECT, "columns": _list(_COLUMN)}
_DATA = {"declared": _TEXT, "given": _or_none(_TEXT), "files": _FILES}

IS_BEGIN = _with(
    {
        "id": _TEXT, "started": _is_moment, "program": _TEXT, "working_folder": _is_path,
        "texts": _list(_with({"path": _is_path, "file": _TEXT})), "has_outside": _FLAG, "session": _or_none(_TEXT),
        "params": _each(_with({"value": _any, "from": _TEXT})), "versions": _OBJECT, "host": _OBJECT, "about": _OBJECT,
        "seeds": _with({
            "graphs": _OBJECT, "data": _each(_OBJECT),
            "trainings": _list(_with({"line": _WHOLE, "order": _TEXT, "seed": _any})),
        }),
        "limits": _with(dict.fromkeys(Limits.__match_args__, _NUMBER)),
        "options": _with({
            "engine": _TEXT, "deterministic": _FLAG, "logdir": _or_none(_TEXT), "overwrite": _FLAG,
            "has_variables": _FLAG, "towers": _WHOLE, "soft_placement": _FLAG, "placement": _TEXT,
            "worker": _or_none(_WHOLE), "cluster": _or_none(_OBJECT),
        }),
    }
)  # fmt: skip
IS_END = _with(
    {
        "status": _TEXT, "exit_code": _WHOLE, "ended": _NUMBER, "seconds": _NUMBER, "printed": _list(_TEXT),
        "errors": _list(_with({"message": _TEXT, "place": _or_none(_TEXT)}, {"notes": _list(_TEXT)})),
        "values": _OBJECT, "evaluated": _OBJECT, "texts": _list(_TEXT),
        "variables": _each(_OBJECT), "data": _each(lambda value: _OBJECT(value) and _is_data(value)),
        "inputs": _each(_FILES), "steps": _WHOLE, "engines": _list(_TEXT), "git": _or_none(_OBJECT),
        "peak_memory": _NUMBER,
    },
    {"op_determinism": _list(_TEXT)},
)  # fmt: skip
IS_POINT = _with({"step": _WHOLE, "value": _any})
