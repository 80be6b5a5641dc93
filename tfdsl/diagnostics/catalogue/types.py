"""2xx: Types and shapes."""

from ..message import message as _message

MATMUL_SIZES = _message("TFG201", "{op} cannot multiply {a} by {b}: {left} is not {right}")
BROADCAST = _message(
    "TFG202", "{op} cannot combine {a} and {b}: sizes {left} and {right} neither agree nor are 1"
)
DTYPES_DIFFER = _message(
    "TFG203", "{op} needs one dtype for {first} and {second}, but they are {a} and {b}",
    "cast one of them: cast({name}, {dtype})",
)
DTYPE_NOT_ALLOWED = _message("TFG204", "{op} does not take {dtype} for {param}: it takes {allowed}")
AXIS_RANGE = _message("TFG205", "axis {axis} is out of range for {type}, whose rank is {rank}",
                      "axes count from 0; negative ones count from the end")
RANK = _message("TFG206", "{op} needs {param} of rank {wanted}, but it is {type}")
RESHAPE = _message("TFG207", "cannot reshape {type}, which has {count:element}, to {shape}")
SIZES_DIFFER = _message("TFG208", "{op} needs sizes that agree, but {left} is not {right}")
NOT_SQUARE = _message("TFG209", "{op} needs square matrices, but {param} is {type}")
SHAPES_DIFFER = _message("TFG210", "{op} needs one shape for {first} and {second}, but they are {a} and {b}")
RANK_UNKNOWN = _message("TFG211", "{op} needs to know how many axes {param} has, but {type} does not say",
                        "declare it: ensure_shape(..., [...]), with none for an unknown size")
EMPTY_LIST = _message("TFG212", "{op} needs at least one tensor in {param}, but the list is empty")
LENGTH = _message("TFG213", "{op} needs {wanted:number} for {param}, but got {count}")
OPTION = _message("TFG214", "{op} does not take {value} for {param}: it takes {allowed}")
AXES_ONCE = _message(
    "TFG215", "{op} needs each axis of {type} once, but {param} is {axes}",
    "count the axes from 0, and name each one once",
)
NOT_ONE = _message(
    "TFG216", "{op} can only remove axes of size 1, but axis {axis} of {type} has size {size}",
    "leave {param} out to remove every axis of size 1",
)
SPLIT = _message("TFG217", "{op} cannot cut axis {axis} of {type} into {parts}: it has size {size}",
                 "split(x, [3, 7], axis=...) cuts into pieces of those sizes, which must add up to the size of the "
                 "axis")
BROADCAST_TO = _message(
    "TFG218", "{op} cannot stretch {type} to {shape}",
    "only sizes of 1 stretch, and axes are added only in front",
)
SLICE = _message("TFG219", "{op} reaches to {end} on axis {axis} of {type}, which has size {size}",
                 "begin + size can be at most the size of the axis; a size of -1 takes the rest")
NO_SUCH_INDEX = _message("TFG220", "index {index} is out of range for axis {axis} of {type}: its size is {size}",
                         "indices count from 0; negative ones count from the end")
TOO_MANY_INDICES = _message("TFG221", "{count:index/indices} for {type}, which has {rank:axis/axes}")
NEGATIVE = _message("TFG222", "{op} does not take {value} for {param}: it cannot be less than {least}")
WINDOW = _message(
    "TFG223", "{op} cannot fit a window of {window} into a size of {size} (axis {axis} of {type})",
    "padding=\"SAME\" adds zeros around, so that any window fits",
)
CHANNELS = _message("TFG224", "{op} needs channels that agree: {a} has {left}, but {b} takes {right}")
NOT_MULTIPLE = _message(
    "TFG225", "{op} needs a multiple of {factor} on axis {axis} of {type}, but it has size {size}")
EQUATION = _message("TFG226", "einsum cannot use the equation \"{equation}\" on {types}: {reason}",
                    "write one term per input and one letter per axis, as in \"ij,jk->ik\"")
ONE_OF = _message("TFG227", "{op} needs {first} or {second}, but not both", "give one of them")
NOT_COMPILE_TIME = _message(
    "TFG228", "{op} needs {param} to be known while compiling, but it is {type}",
    "give numbers, a param, or a list of them; identity(x) makes a node of a tensor",
)
AXES_TWICE = _message("TFG230", "{op} gets an axis twice: {param} is {axes}",
                      "name each axis once")
NEW_AXIS = _message("TFG232", "{op} cannot put a new axis at {axis} of {type}",
                    "it can be from 0 to {rank}; negative ones count from the end")
NEEDED = _message("TFG231", "{op} needs {param} for {dtype}", "give it: {param}={value}")
BOTH = _message("TFG233", "{op} needs both {first} and {second}, or neither of them",
                "without them it returns the positions where the condition is true")
DIAGONAL = _message("TFG235", "{op} has no diagonal {k} in {type}",
                    "0 is the main diagonal; positive numbers count up to the last column, negative ones down to the "
                    "last row")
NO_NUMBERS = _message("TFG236", "{op} of {type} has no elements: there is nothing to transform",
                      "the last axis needs at least 1 element, or 2 for irfft; or give a length of at least 1")
ASSERTION = _message("TFG237", "{op} always fails: {x} {relation} {y} is false",
                     "the run would stop here: fix the values, or remove the check")
NOTHING_THERE = _message("TFG238", "{op} has no element to change in {type}",
                         "leave its indices and updates empty too")
AXES_MANY = _message("TFG234", "{what} has {rank:axis/axes}; TensorFlow tensors have at most {limit}",
                     "combine several axes into one")
ROWS_FEW = _message("TFG239", "{op} needs {param} to have a row for each of the {count} classes, but it is {type}",
                    "num_classes can be at most the number of rows of {param}")
VALUES_BETWEEN = _message("TFG240", "{op} has {boundaries:boundary/boundaries}, but {values:value}",
                          "give it one value more than boundaries: {wanted}")
BITS = _message("TFG229", "{op} cannot read {type} as {dtype}: the last axis needs size {wanted}")

DILATED = _message("TFG484", "{op} with dilations and padding=\"SAME\" needs to know all sizes of {param}, which is "
                   "{type}",
                   "declare it with a number for each size; or pad by hand, and write padding=\"VALID\"")
SEVERAL_VALUES = _message("TFG241", "{call} gives {count:value} ({names}), but one is needed here")
NO_SLICES = _message("TFG483", "{op} has no slices to take from {type}: axis {axis} has size 0",
                     "the result would be an empty list of tensors")
