"""The catalogue of everything the compiler says, and the diagnostics that carry it.

Every message stands in `catalogue/` once, with its stable code, its headline and, where one helps, a help line. The
rest of the compiler names a message and gives it its details; it formats no text. How a diagnostic looks is decided in
`render.py`.

Codes: 1xx text, 2xx types and shapes, 3xx names, 4xx values and calls, 5xx sessions, 6xx data, 7xx what TensorFlow
reported, 8xx options and limits, 9xx warnings.
"""

from .catalogue.data import *
from .catalogue.names import *
from .catalogue.options import *
from .catalogue.running import *
from .catalogue.sessions import *
from .catalogue.text import *
from .catalogue.types import *
from .catalogue.values import *
from .catalogue.warnings import *
from .diagnostic import Diagnostic as Diagnostic
from .diagnostic import Frame as Frame
from .diagnostic import Note as Note
from .error import TfgError as TfgError
from .message import CATALOGUE as CATALOGUE
from .message import Message as Message
