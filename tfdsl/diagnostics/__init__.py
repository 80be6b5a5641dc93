"""The catalogue of all messages, and the diagnostics that carry them.

Every message is defined once in `catalogue/`, with its stable code, its headline and, if useful, a help line. The
rest of the compiler picks a message and passes its details; it formats no text. `render.py` decides how a
diagnostic looks.

Codes: 0xx graphs made elsewhere, 1xx text, 2xx types and shapes, 3xx names, 4xx values and calls, 5xx sessions,
6xx data, 7xx reports of TensorFlow, 8xx options and limits, 9xx warnings.
"""

from .catalogue.data import *
from .catalogue.graphs import *
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
