"""The California housing data, downloaded by scikit-learn, or a synthetic stand-in for it."""

from typing import TYPE_CHECKING

from ....diagnostics import CALIFORNIA_MISSING
from ....types import FLOAT32
from ...schema import DataError, Schema
from ...stage import Arguments
from ..base import DataSource, Where

if TYPE_CHECKING:
    from ...arrays import Table

_TARGET = "MedHouseVal"
_SCHEMA = Schema(
    20640,
    ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"),
    FLOAT32,
    _TARGET,
)


class CaliforniaHousing(DataSource):
    name = "california_housing"
    signature = "offline: text = none"
    doc = "Median house values in 20640 districts of California in 1990, with eight features."
    target_name = _TARGET

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        if arguments["offline"] not in (None, "synthetic"):
            self.refuse(arguments, "offline", '"synthetic" or left out')
        return _SCHEMA

    def load(self, where: Where, offline: str | None) -> "Table":
        from ...arrays import table
        from . import fetch

        try:
            features, target = fetch.fetched()
        except Exception as error:  # a download can fail in any way
            if offline == "synthetic":
                from .synthetic import synthetic

                return table(*synthetic(), "synthetic stand-in for california_housing", synthetic=True)
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            raise DataError(CALIFORNIA_MISSING, param="offline", reason=reason.splitlines()[0]) from None
        return table(features, target, self.name)


SOURCE = CaliforniaHousing()
