"""Values as JSON, which has no NaN and no infinity: these are the texts "nan", "inf" and "-inf"."""

import json
from math import isfinite

from .narrowing import is_list, is_object


def json_text(value: object, indent: int | None = None, ensure_ascii: bool = True) -> str:
    """A value as JSON. What JSON does not have, such as bytes, is written as Python shows it."""
    return json.dumps(_finite(value), indent=indent, ensure_ascii=ensure_ascii, allow_nan=False, default=repr)


def _finite(value: object) -> object:
    match value:
        case float():
            return value if isfinite(value) else str(value)
        case _ if is_object(value):
            return {name: _finite(one) for name, one in value.items()}
        case _ if is_list(value):
            return [_finite(one) for one in value]
        case _:
            return value
