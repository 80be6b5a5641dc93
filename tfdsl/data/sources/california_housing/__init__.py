"""The California housing data, downloaded by scikit-learn, or a synthetic stand-in for it."""

from typing import TYPE_CHECKING

from ....diagnostics import CALIFORNIA_MISSING
from ....types import FLOAT32
from ...schema import DataError, Schema, numbers
from ...stage import Arguments
from ..base import DataSource, OpenedData, Where

if TYPE_CHECKING:
    from ...tables import ColumnSource

_TARGET = "MedHouseVal"
_NAMES = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
_SCHEMA = Schema(20640, numbers(_NAMES, _TARGET, FLOAT32))


class CaliforniaHousing(DataSource):
    name = "california_housing"
    signature = "offline: text = none"
    example = 'data housing = california_housing(offline="synthetic")'
    doc = "Median house values in 20640 districts of California in 1990, with eight features."
    target_name = _TARGET

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        offline = arguments["offline"]
        if offline not in (None, "synthetic"):
            self.refuse(arguments, "offline", '"synthetic" or left out')
        return OpenedData(_SCHEMA, lambda: self._load(offline == "synthetic"))

    def _load(self, may_be_synthetic: bool) -> "ColumnSource":
        from ...tables import held
        from . import fetch

        try:
            features, target = fetch.fetched()
        except Exception as error:  # a download can fail in any way
            if may_be_synthetic:
                from .synthetic import synthetic

                origin = "synthetic stand-in for california_housing"
                return held(_NAMES, *synthetic(), origin, _TARGET, synthetic=True)
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            raise DataError(CALIFORNIA_MISSING, param="offline", reason=reason.splitlines()[0]) from None
        return held(_NAMES, features, target, self.name, _TARGET)


SOURCE = CaliforniaHousing()
