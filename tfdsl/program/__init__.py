"""The typed program: the output of the analysis and the input of everything after it.

This package does not use TensorFlow or NumPy.
"""

from .graph import *
from .outside import *
from .places import *
from .plan import *
from .reached import *
from .session_expressions import *
