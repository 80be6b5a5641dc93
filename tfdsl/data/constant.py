"""The dtype and shape of a constant whose value is an array in a file. `constants.py` reads the files."""

from ..record import Record
from ..types import DType

ONLY = ""  # the name of the array of an .npy file


class StoredConstant(Record):
    """The type of a stored array. `checksum` is the CRC-32 of its bytes, with its header."""

    dtype: DType
    shape: tuple[int, ...]
    checksum: int
