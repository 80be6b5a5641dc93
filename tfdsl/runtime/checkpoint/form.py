"""The form of a checkpoint's record: all that it has besides the variables."""

from ...program.serialize import Plain

_FORM = {
    "identity": {"graphs": {}, "sessions": [], "variables": {}, "params": {}, "data": {}, "contents": {}},
    "machine": {}, "position": {"session": 0, "statement": 0, "step": 0, "body": 0}, "now": "", "random": {},
    "values": {},
    "record": {
        "run": "", "started": 0.0, "steps": 0, "expectations": 0, "engines": [""], "logdirs": [], "saved": [],
        "resumed": [], "events": [],
    },
}  # fmt: skip
_EVENT = {"folder": "", "name": "", "session": 0, "size": 0, "last": 0}


def is_formed(about: Plain) -> bool:
    """Whether a manifest has the form that a run writes. Its checksum only proves that it is complete."""
    return (
        _is_like(about, _FORM)
        and min(about["position"].values()) >= 0
        and all(_is_like(one, _EVENT) and len(one) == len(_EVENT) for one in about["record"]["events"])
        and all(isinstance(one, str) for one in about["values"].values())
        and all(_is_like(one, [0, 0, 0]) and len(one) == 3 for one in about["random"].values())
    )


def _is_like(value: Plain, form: Plain) -> bool:
    """Whether a value and its parts have the kinds that a form says."""
    match form:
        case dict():
            return isinstance(value, dict) and all(name in value and _is_like(value[name], form[name]) for name in form)
        case list():
            is_long = isinstance(value, list) and len(value) >= len(form)
            return is_long and all(map(_is_like, value, form))
        case float():
            return isinstance(value, (int, float))
        case _:
            return type(value) is type(form)
