"""The catalogue of everything the compiler says, and the diagnostics that carry it.

Every message stands here once, with its stable code, its headline and, where one helps, a
help line. The rest of the compiler names a message and gives it its details; it formats no
text. How a diagnostic looks is decided in `render.py`.

Codes: 1xx text, 2xx types and shapes, 3xx names, 4xx values and calls, 5xx sessions, 6xx data,
7xx what TensorFlow reported, 8xx options and limits, 9xx warnings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .record import Record
from .source import Span


class Message(Record):
    """One kind of diagnostic: `headline` and `help` are templates for `str.format`."""

    code: str
    headline: str
    help: str = ""
    severity: str = "error"


CATALOGUE: dict[str, Message] = {}


def _message(code: str, headline: str, help: str = "", severity: str = "error") -> Message:
    assert code not in CATALOGUE, code
    CATALOGUE[code] = Message(code, headline, help, severity)
    return CATALOGUE[code]


# --- 1xx text ---------------------------------------------------------------------------------
UNEXPECTED = _message("TFG101", "did not expect {found} here")
CHARACTER = _message("TFG102", "the character {character} cannot stand here")
INDENT_TAB = _message("TFG103", "a tab in the indentation", "indent with spaces only")
INDENT_UNEXPECTED = _message("TFG104", "this line is indented, but no block is open here",
                             "start it in the same column as the line above")
DEDENT_MISMATCH = _message("TFG105", "this indentation matches no line above it",
                           "start the line in the column of the block that it belongs to")
BLOCK_EXPECTED = _message("TFG106", "an indented block must follow the ':'",
                          "indent the lines of the block, or write its one line after the colon")
COLON_MISSING = _message("TFG107", "a ':' is missing at the end of this line")
BRACKET_OPEN = _message("TFG108", "'{bracket}' is never closed")
BRACKET_MISMATCH = _message("TFG109", "'{bracket}' closes nothing that is open")
STRING_OPEN = _message("TFG110", "this string has no closing quote on its line",
                       "end it with \"; a line break inside a string is written \\n")
QUOTES = _message("TFG111", "strings stand in double quotes", "write \"...\"")
ESCAPE = _message("TFG112", "unknown escape {escape} in a string", "a backslash itself is written \\\\")
ASSIGN_TARGET = _message("TFG113", "only a name can stand on the left of '='",
                         "to change a variable while it runs, make an op: update = assign(v, value)")
ARGUMENT_ORDER = _message("TFG114", "an argument without a name follows the named one '{name}'",
                          "put the arguments without a name first")
NUMBER_SIZE = _message("TFG115", "this number has {digits} digits; at most {limit} are read")
TOO_DEEP = _message("TFG116", "nested more than {limit} deep",
                    "give the inner parts names of their own, or raise the limit with --max-depth")
BLOCKS_DEEP = _message("TFG119", "more than {limit} blocks stand in one another",
                       "put the inner ones into a def, or raise the limit with --max-depth, where a block counts as 50")
WRONG_UNIT = _message("TFG117", "'{unit}' cannot be counted here", "it can count {allowed}")
ENCODING = _message("TFG118", "{path} is not UTF-8 text: {reason}", "save the file as UTF-8")

# --- 2xx types and shapes ---------------------------------------------------------------------
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
RESHAPE = _message("TFG207", "cannot reshape {type}, which has {count} elements, to {shape}")
SIZES_DIFFER = _message("TFG208", "{op} needs sizes that agree, but {left} is not {right}")
NOT_SQUARE = _message("TFG209", "{op} needs square matrices, but {param} is {type}")
SHAPES_DIFFER = _message("TFG210", "{op} needs one shape for {first} and {second}, but they are {a} and {b}")
RANK_UNKNOWN = _message(
    "TFG211", "{op} needs to know how many axes {param} has, but {type} does not say",
    "say it: ensure_shape(..., [...]), with none for a size that is not known",
)
EMPTY_LIST = _message("TFG212", "{op} needs at least one tensor in {param}, but the list is empty")
LENGTH = _message("TFG213", "{op} needs {wanted} numbers for {param}, but it is given {count}")
OPTION = _message("TFG214", "{op} does not take {value} for {param}: it takes {allowed}")
AXES_ONCE = _message(
    "TFG215", "{op} needs each of the {rank} axes of {type} once, but {param} is {axes}",
    "count the axes from 0, and name each one once",
)
NOT_ONE = _message(
    "TFG216", "{op} can only remove axes of size 1, but axis {axis} of {type} has size {size}",
    "leave {param} out to remove every axis of size 1",
)
SPLIT = _message(
    "TFG217", "{op} cannot cut axis {axis} of {type} into {parts}: it has size {size}",
    "split(x, [3, 7], axis=...) cuts into pieces of those sizes; they add up to the size of the axis",
)
BROADCAST_TO = _message(
    "TFG218", "{op} cannot stretch {type} to {shape}",
    "only sizes of 1 stretch, and axes are added only in front",
)
SLICE = _message(
    "TFG219", "{op} reaches to {end} on axis {axis} of {type}, which has size {size}",
    "begin + size may be at most the size of the axis; a size of -1 takes all that is left",
)
NO_SUCH_INDEX = _message("TFG220", "index {index} is out of range for axis {axis} of {type}: its size is {size}",
                         "indices count from 0; negative ones count from the end")
TOO_MANY_INDICES = _message("TFG221", "{count} indices for {type}, which has {rank} axes")
NEGATIVE = _message("TFG222", "{op} does not take {value} for {param}: it cannot be less than {least}")
WINDOW = _message(
    "TFG223", "{op} cannot fit a window of {window} into a size of {size} (axis {axis} of {type})",
    "padding=\"SAME\" adds zeros around, so that any window fits",
)
CHANNELS = _message("TFG224", "{op} needs channels that agree: {a} has {left}, but {b} takes {right}")
NOT_MULTIPLE = _message(
    "TFG225", "{op} needs a multiple of {factor} on axis {axis} of {type}, but it has size {size}")
EQUATION = _message(
    "TFG226", "einsum cannot use the equation \"{equation}\" on {types}: {reason}",
    "write one term an input, one letter an axis, as in \"ij,jk->ik\"",
)
ONE_OF = _message("TFG227", "{op} needs {first} or {second}, but not both", "give one of them")
NOT_COMPILE_TIME = _message(
    "TFG228", "{op} needs {param} to be known while compiling, but it is {type}",
    "give numbers, a param, or a list of them; identity(x) makes a node of a tensor",
)
AXES_TWICE = _message("TFG230", "{op} is given an axis twice: {param} is {axes}", "name each axis once")
NEW_AXIS = _message("TFG232", "{op} cannot put a new axis at {axis} of {type}",
                    "it can be from 0 to {rank}; negative ones count from the end")
NEEDED = _message("TFG231", "{op} needs {param} for {dtype}", "give it: {param}=10")
BOTH = _message("TFG233", "{op} needs both {first} and {second}, or neither of them",
                "without them it gives the places where the condition holds")
DIAGONAL = _message("TFG235", "{op} has no diagonal {k} in {type}",
                    "0 is the main one; above it they count up to the last column, below it down to the last row")
NO_NUMBERS = _message("TFG236", "{op} makes no number of {type}: nothing is left to transform",
                      "the last axis needs some numbers, for irfft 2 or more, or say a length of 1 or more")
ASSERTION = _message("TFG237", "{op} cannot hold: {x} {relation} {y} is false",
                     "the run would stop here: mend the values, or remove the check")
NOTHING_THERE = _message("TFG238", "{op} has no element to change in {type}", "give it no indices and updates either")
AXES_MANY = _message("TFG234", "{what} has {rank} axes; TensorFlow has tensors of at most {limit}",
                     "put several sizes into one")
ROWS_FEW = _message("TFG239", "{op} needs {param} to have a row for each of the {count} classes, but it is {type}",
                    "num_classes can be at most the number of rows of {param}")
BITS = _message("TFG229", "{op} cannot read {type} as {dtype}: the last axis needs size {wanted}")

DILATED = _message("TFG484", "{op} with dilations and padding=\"SAME\" needs to know all sizes of {param}, which is "
                   "{type}",
                   "declare it with a number for each size; or pad by hand, and write padding=\"VALID\"")
NO_SLICES = _message("TFG483", "{op} has nothing to take out of {type}: axis {axis} has size 0",
                     "an axis of size 0 has no slices, so there is no tensor to name")

# --- 3xx names --------------------------------------------------------------------------------
UNKNOWN_NAME = _message("TFG301", "there is no name '{name}'")
REBOUND = _message("TFG302", "'{name}' is bound already", "a name is bound once; give this one another name")
AMBIGUOUS = _message("TFG303", "'{name}' could be any of {names}", "write the one that is meant: {first}")
NO_MEMBER = _message("TFG304", "{value} has no '{name}'")
SHARED_MISSING = _message("TFG305", "there is no shared variable '{path}' to share",
                          "create it first with an initial value: shared {name} = 0.0")
SHARED_DISAGREES = _message("TFG306", "shared '{path}' has {what} {first} where it was created, but {second} here",
                            "to share it write only: shared {name}; one with another {what_else} needs another name, "
                            "or a scope of its own")
SHARED_REUSE = _message("TFG307", "'{path}' cannot be created inside 'reuse', which only shares what exists",
                        "create it before, or open the scope without 'reuse'")
OTHER_GRAPH = _message("TFG308", "'{name}' is on {theirs}, but this is {ours}",
                       "a node can only use nodes of its own graph")
IMPORT_FAILED = _message("TFG310", "cannot import '{path}': {reason}",
                         "the path is relative to the file that imports it")
IMPORT_CYCLE = _message("TFG311", "this file imports itself: {chain}",
                        "put what both need into a file of its own, and import that from both")
IMPORT_LIBRARY = _message("TFG312", "there is no library '{name}'; there is {known}",
                          "to import a file, write its path in quotes: import \"{name}.tfg\"")
IMPORT_NAME = _message("TFG313", "'{path}' gives no name to import it under",
                       "give it one: import \"{path}\" as layers")
IMPORT_DEEP = _message("TFG314", "more than {limit} files import one another",
                       "import from fewer files, each of which imports less, or raise the limit with --max-imports")
BOUND_TO_PARAM = _message("TFG309", "the size '{name}' is {value}, which is not a number of rows or columns",
                          "use a whole number, or a name that nothing else has")

# --- 4xx values and calls ---------------------------------------------------------------------
NOT_CALLABLE = _message("TFG401", "{value} cannot be called")
ARGUMENT_MISSING = _message("TFG402", "{function} needs its argument '{name}'", "it is {function}({signature})")
ARGUMENT_UNKNOWN = _message("TFG403", "{function} has no argument '{name}'", "it is {function}({signature})")
ARGUMENT_TWICE = _message("TFG404", "{function} gets its argument '{name}' twice")
ARGUMENTS_MANY = _message("TFG405", "{function} takes {limit} by position, not {count}",
                          "it is {function}({signature})")
ARGUMENT_KIND = _message("TFG406", "{function} needs {wanted} for '{name}', but it is {value}")
NOT_TENSOR = _message("TFG407", "{value} cannot be used as a tensor here")
NOT_STATIC = _message("TFG408", "{what} must be known while compiling, but it is {value}",
                      "use a number, a param, or a size such as X.shape[1]")
SIZE_UNKNOWN = _message("TFG409", "size {axis} of {text} is not known while compiling",
                        "shape({tensor})[{axis}] is its value while running, as a tensor")
RAGGED = _message("TFG410", "the rows of this list have different lengths", "make all rows equally long")
MIXED_LIST = _message("TFG411", "this list mixes {first} and {second}", "use values of one kind")
OPERATOR = _message("TFG412", "'{op}' does not work on {left} and {right}")
SEARCHED = _message("TFG490", "'{op}' looks for one value, but {value} is {shape}",
                    "take one element of it, or compare with ==, which holds if all elements are the same")
TRAINED_COMPLEX = _message("TFG491", "no optimizer trains {name}, which is {dtype}",
                           "train its two parts, which are floats, and put them together: complex(re, im)")
OPERATOR_ONE = _message("TFG413", "'{op}' does not work on {value}")
ARITHMETIC = _message("TFG414", "this cannot be computed: {reason}")
INDEX_KIND = _message("TFG415", "{value} cannot be indexed with {index}")
INDEX_RANGE = _message("TFG416", "index {index} is out of range for {of}: its size is {size}",
                       "indices count from 0; negative ones count from the end")
INDEX_MANY = _message("TFG417", "{count} indices for {type}, which has {rank} axes")
NOT_ITERABLE = _message("TFG418", "'for' cannot go through {value}",
                        "it goes through range(...), lists, and unstack(x) for the rows of a tensor")
UNPACK = _message("TFG419", "{names} names cannot take {count}")
CONDITION_TENSOR = _message("TFG420", "this condition is {value}; here it must be known while compiling",
                            "for tensors write: a if condition else b")
RECURSION = _message("TFG421", "{name} calls itself", "graph code is finite; repeat with 'for'")
RETURN_OUTSIDE = _message("TFG422", "'return' stands outside a function")
NO_VALUE = _message("TFG423", "{function} returns nothing, so there is no value to use")
NOT_DIFFERENTIABLE = _message("TFG424", "{y} does not depend on {x} in a way that has a gradient")
NOT_VARIABLE = _message("TFG425", "{what} needs a variable, but it is {value}")
SHAPE_INCOMPLETE = _message("TFG426", "a variable needs a complete shape, but its initial value is {type}",
                            "declare its type with a number for each size: variable {name}: float32[2, 1] = ...")
INITIAL_TYPE = _message("TFG427", "'{name}' is declared as {declared}, but its value is {type}")
INITIAL_MISSING = _message("TFG428", "variable '{name}' has no initial value",
                           "write one: variable {name}{type} = {value}")
OPTION_UNKNOWN = _message("TFG429", "{statement} has no option '{name}'", "it has {known}")
LOSS_TWICE = _message("TFG430", "a second loss for one graph", "write: optimize mse with ...")
LOSS_MISSING = _message("TFG431", "there is no loss to minimise", "declare one before this line: loss mse")
LOSS_TYPE = _message("TFG432", "a loss is one number of a float dtype, but this is {type}",
                     "take its mean: reduce_mean(...)")
NOTHING_TRAINABLE = _message("TFG433", "this loss has a gradient for no trainable variable, so nothing can be trained")
NOT_OPTIMIZER = _message("TFG434", "{value} is no optimizer", "the optimizers are {known}")
SUMMARY_KIND = _message("TFG435", "there is no summary '{kind}'", "there are {known}")
SUMMARY_TYPE = _message("TFG436", "'summary {kind}' needs {wanted}, but this is {type}")
SEED_VALUE = _message("TFG437", "a seed is a whole number from 0 to 2147483647, not {value}")
SEED_TWICE = _message("TFG438", "a second seed for one graph")
SEED_LATE = _message("TFG439", "the seed comes after nodes that it should have seeded", "make it the first line")
DTYPE_UNKNOWN = _message("TFG440", "there is no dtype '{name}'", "the dtypes are {known}")
DIM_VALUE = _message("TFG441", "a size is a whole number from 0, a name or ?, not {value}")
GRAPH_PLACE = _message("TFG442", "{what} cannot stand here", "{hint}")
GRADIENT_DTYPE = _message("TFG461", "gradients by the method {method} are for real floats, but {name} is {type}",
                          "use method=\"reverse\", or real numbers")
SYMBOLIC_SHAPE = _message("TFG462", "symbolic gradients are for scalars, but {name} is {type}",
                          "use method=\"reverse\"; or take an element, or a sum, for which there is a formula")
SYMBOLIC_OP = _message("TFG463", "there is no formula for {op}, which lies between {y} and {x}",
                       "use method=\"reverse\"; there are formulas for arithmetic and functions such as exp")
SYMBOLIC_MISSING = _message("TFG464", "symbolic gradients need SymPy, which is not installed",
                            "install it with: pip install sympy")
WRITES_AGAIN = _message("TFG536", "method=\"{method}\" computes all that lies between again, and would write '{name}' "
                        "again",
                        "use method=\"reverse\", which computes nothing again")
GRADIENT_METHOD = _message("TFG443", "there is no method '{method}' for gradients",
                           "there are reverse, forward, symbolic and numeric")
LIST_SHAPES = _message("TFG481", "this list has values of the types {first} and {second}, which make no array together",
                       "write them without the brackets, one after the other")
NEGATIVE_POWER = _message("TFG482", "{type} cannot be raised to the negative power {power}: whole numbers have none",
                          "take a float, as in cast(x, float32) ** {power}")
DTYPE_MISMATCH = _message("TFG444", "{value} cannot become {dtype}", "{hint}")
VALUE_OF = _message("TFG445", "{function} cannot take {name}, which is {value}")
TYPE_MISSING_SHAPE = _message("TFG446", "{name} as an initial value needs the variable's type",
                              "write: variable {variable}: float32[2, 1] = {name}")
NOT_TEXT = _message("TFG447", "{what} must be a string, but it is {value}", "write it in double quotes")
REGION_PLACE = _message("TFG448", "{what} cannot stand inside a 'while' or an 'if' on a tensor",
                        "put it before the block: it is there once, whatever the block does")
CONTROL_NOTHING = _message("TFG449", "this '{word}' computes nothing: {what}")
CONDITION_TYPE = _message("TFG450", "the condition of '{word}' must be one bool, but it is {value}",
                          "compare it: {text} > 0; for many elements take reduce_any(...) or reduce_all(...)")
LOOP_CONDITION = _message("TFG451", "the condition of this 'while' is {value} before the loop runs",
                          "use a name that the body rebinds: while i < 10; to repeat while compiling, use 'for'")
LOOP_VALUE = _message("TFG452", "'{name}' is {value}, which only the compiler knows: the graph cannot decide on it",
                      "only tensors, numbers and lists of them can be the outcome of a 'while' or 'if' in the graph")
LOOP_TYPE = _message("TFG453", "'{name}' is {first} before the loop, but {second} after a turn",
                     "a loop's variable keeps its dtype and shape: cast it, or begin with one of the same")
LOOP_RETURN = _message("TFG454", "'return' cannot leave a 'while'", "bind a name in the loop, and return it after")
BRANCH_NAMES = _message("TFG455", "'{name}' is bound in one branch of this 'if' only",
                        "both branches of an 'if' on a tensor bind the same names")
BRANCH_TYPE = _message("TFG456", "{name} is {first} in one branch of this 'if', but {second} in this one",
                       "both branches must give one dtype and shape")
BRANCH_RETURN = _message("TFG457", "one branch of this 'if' returns and another does not",
                         "on a tensor, all branches return or none does; give it an 'else' that returns too")
PARAM_SHAPE = _message("TFG460", "the type of param '{name}' cannot have a shape",
                       "leave the shape out; a list of numbers needs no type: param sizes = [300, 100]")
DEVICE_NAME = _message("TFG458", "'{name}' is no device of TensorFlow",
                       "write \"/cpu:0\", \"/gpu:1\", or \"/job:ps/task:0\" for a machine of a cluster")
CONTAINER_NAME = _message("TFG459", "'{name}' cannot be the name of a container",
                          "use letters, digits and _ . / - in it, and begin with a letter or a digit")

RAW_UNKNOWN = _message("TFG470", "TensorFlow has no op '{name}'", "tfdsl ops raw.Roll describes one of them")
RAW_COUNT = _message("TFG471", "{op} needs {wanted} for '{param}', but it is given {count}")
RAW_RESOURCE = _message("TFG472", "{op} needs {wanted} for '{param}', but it is {value}",
                        "it takes the name of a variable, or the output of the op that made the resource")
RAW_FUNCTION = _message("TFG473", "{function} needs a graph function for '{name}', which programs cannot give",
                        "call it in a function of Python's, and give that with compile(..., ops=...)")
NO_CONTENT = _message("TFG475", "{name} is a {dtype}, of which there is nothing to see outside of the graph",
                      "read it with an op, such as raw.ReadVariableOp(resource=..., dtype=float32)")
RAW_REACHES = _message("TFG477", "{op} {what}, which a program cannot do by an op", "{instead}")
ENGINE_UNKNOWN = _message("TFG476", "there is no engine '{name}'", "it is step, loop, xla or auto")
NAN_UNKNOWN = _message("TFG480", "on_nan cannot be '{name}'", "it is stop, or ignore to train on with a loss of NaN")
BATCH_TENSOR = _message("TFG474", "{name} is there only while the loop runs, so that no node can be made of it",
                        "feed it to a placeholder, and use that: feed X = {name}")

CLASS_NUMBERS = _message("TFG485", "{function} takes one class number for each row as its labels, but {name} is {type}")
LOGITS_COLUMNS = _message("TFG486", "{function} takes logits with a column for each class, but {name} is {type}")

# --- 5xx sessions -----------------------------------------------------------------------------
UNFED = _message("TFG501", "{what} needs {names} to be fed", "write: with {first} = ...")
FEED_SHAPE = _message("TFG502", "{name} is {declared}, but is fed {actual}")
FEED_DTYPE = _message("TFG503", "{name} is {declared}, but is fed {actual}")
FEED_SIZE = _message("TFG504", "the size '{size}' is {first} for {first_name}, but {second} for {second_name}",
                     "feed arrays with the same number of rows")
FEED_TARGET = _message("TFG505", "{value} cannot be fed", "{hint}")
FEED_TWICE = _message("TFG506", "{name} is fed twice")
UNINITIALISED = _message("TFG507", "{name} is not initialised in this session", "write {where}: init {name}")
SESSION_NAME = _message("TFG508", "there is no graph '{name}'")
OUTSIDE_TRAIN = _message("TFG509", "'{what}' can only stand in the body of 'train'")
LOG_WITHOUT_TO = _message("TFG510", "there is nowhere to log to yet", "write before it: log to \"tf_logs/run-{{now}}\"")
NO_SUMMARY = _message("TFG511", "there is no summary '{tag}'")
NO_SUMMARIES = _message("TFG512", "there is no summary to log", "declare one: summary scalar mse as \"MSE\"")
COUNT_VALUE = _message("TFG513", "{what} is a whole number above 0, not {value}")
BATCH_WITHOUT_DATA = _message("TFG514", "'in batches of' needs data",
                              "write: train 10 epochs on housing in batches of 100")
NO_STEP = _message("TFG515", "this training has nothing to run", "declare an optimizer, or write 'run training_op'")
NESTED_TRAIN = _message("TFG516", "a 'train' cannot stand inside another")
NOT_CONDITION = _message("TFG517", "{value} is no condition", "compare something: mse < 0.5")
UNKNOWN_FIELD = _message("TFG518", "a string has {{{name}}}, but there is no such value",
                         "braces hold {known}; other values stand beside the text: print \"x is\", x; "
                         "a plain brace is written {{{{")
TEMPLATE_BRACE = _message("TFG519", "a string has a lone '{brace}'", "a plain brace is written {brace}{brace}")
CHECKPOINT_TWICE = _message("TFG520", "a second checkpoint in one training")
CHECKPOINT_MOVING = _message("TFG521", "the folder of a checkpoint must be the same in every run",
                             "leave {{now}}, {{epoch}} and {{step}} out of it")
RUN_VALUE = _message("TFG522", "'run' needs a node, but this is {value}")
INIT_TARGET = _message("TFG523", "{what} takes variables, but this is {value}")
NO_VARIABLES = _message("TFG524", "this graph has no variables to {what}")
NESTED_CHECKPOINT = _message("TFG525", "'checkpoint' stands directly in the body of 'train'")
SESSION_TWICE = _message("TFG526", "a second session '{name}'")
PLAN_PLACE = _message("TFG527", "{what} cannot stand here", "put it before or after the loop")
EXPORT_NAME = _message("TFG528", "what is exported needs a name for its users, which '{text}' has not",
                       "give it one in the graph half: scores = {text}")
TRAINING_KIND = _message("TFG533", "{function} needs a bool for 'training', but it is {value}")
TRAINING_LATE = _message("TFG534", "'{name}' was used before it is bound here",
                         "bind it above that line; or leave it out: every graph has one, true where an 'optimize' "
                         "takes a step and false elsewhere")
EXPORT_TWICE = _message("TFG529", "two things are exported as '{name}'",
                        "give one of them another name in the graph half: other_{name} = ...")
BY_NAME = _message("TFG540", "{function} takes {names} by name only, because they are easily swapped",
                   "write {call}")
SWAPPED_SURELY = _message("TFG537", "{function} is given its labels and logits in the wrong order",
                          "write {call}: the labels come first", "error")

RESTORE_FOLDER = _message("TFG538", "'restore' cannot read {path}, the folder in which line {line} keeps checkpoints",
                          "leave it out, for the next tfdsl run goes on from these by itself; or write before it: "
                          "save to \"trained.ckpt\", and here: restore from \"trained.ckpt\"")

# --- 6xx data ---------------------------------------------------------------------------------
DATA_ARGUMENT = _message("TFG601", "{name} needs {argument} to be {wanted}, not {value}")
DATA_FILE = _message("TFG603", "cannot read {path}: {reason}", "paths are taken from the folder {folder}")
DATA_FORMAT = _message("TFG604", "cannot tell from its name what {path} holds",
                       "give it a name ending in {suffixes}")
CSV_NOT_UTF8 = _message("TFG605", "{path} is not text in UTF-8", "save it again as UTF-8")
CSV_MALFORMED = _message("TFG606", "this line is not proper CSV: {reason}",
                         "a cell with a separator, a quote or a line break in it stands in double quotes")
CSV_EMPTY = _message("TFG607", "{path} has no rows of data",
                     "its first line must name the columns, and a line for each row must follow")
CSV_NO_HEADER = _message("TFG608", "the first line holds numbers where the names of the columns belong",
                         "put a line of names above it, such as {example}")
CSV_NO_NAME = _message("TFG609", "column {number} has no name",
                       "name it in the first line, or remove the column (pandas: to_csv(..., index=False))")
COLUMN_TWICE = _message("TFG610", "two columns are named {column}", "rename one of them in the file")
CSV_RAGGED = _message("TFG611", "this row has {found} cells, but the first line names {wanted} columns")
CSV_CELL = _message("TFG612", "column {column} holds {cell}, which is not a finite number",
                    "every cell must be a number, with a point before its fraction; correct the cell, or remove its "
                    "row or column")
CSV_SEPARATOR = _message("TFG634", "the cells of {path} are separated by {found}, not by {separator}",
                         "add separator={found} to the arguments of csv")
CSV_INTEGER = _message("TFG635", "column {column} holds {cell}, a whole number that int64 cannot hold",
                       "write it as {number} to make the column float32, or correct the cell")
CSV_NO_COLUMN = _message("TFG613", "there is no column {column}: the columns are {columns}")
CSV_COLUMN_TYPO = _message("TFG614", "there is no column {column}", "did you mean {close}?")
ONLY_TARGET = _message("TFG615", "the only column is the target {column}",
                           "features need a column of their own")
NPZ_BAD = _message("TFG616", "cannot read {path} as an .npz file: {reason}",
                   "write it with numpy.savez(path, features=..., target=...)")
NPZ_NAMES = _message("TFG617", "{path} has no array named features or X: it has {found}",
                     "write it with numpy.savez(path, features=..., target=...)")
NPZ_DAMAGED = _message("TFG618", "the array {array} in {path} is damaged: it is not what its header says",
                       "write the file again with numpy.savez")
ARRAY_KIND = _message("TFG619", "{array} holds {dtype}, not real numbers",
                      "convert it before, for example with {array}.astype(float)")
ARRAY_SHAPE = _message("TFG620", "{array} has the shape {shape}, but it must be {wanted}")
DATA_TOO_LARGE = _message("TFG621", "{what} has {rows} rows of {columns} columns, more than fits",
                          "the limits are {max_numbers} numbers and {max_columns} columns")
DATA_VALUE = _message("TFG622", "row {row} of {column} is {value}, not a finite number that fits {dtype}",
                      "rows count from 0, after what the transforms did; mend or remove that row")
DATA_AFTER_SPLIT = _message("TFG623", "{name} cannot follow split, which has already divided the rows",
                            "put it before the first split, or leave it out")
DATA_REPLACEMENT = _message(
    "TFG624", "cannot use {found} in place of the data {data}",
    'give a path, a pair (features, target), a dict with "features" and "target", or one array with two axes',
)
CALIFORNIA_MISSING = _message(
    "TFG625", "the California housing data could not be had: {reason}",
    "connect to the network once, after which scikit-learn keeps the data; or write "
    'california_housing(offline="synthetic") to train on a synthetic stand-in',
)
DATA_DISK = _message("TFG631", "cannot keep the rows on disk in {folder}: {reason}",
                     "make room there, or set TMPDIR to a folder with more")
STREAM_WHOLE = _message("TFG632", "{name} is streamed, so {name}.{field} is never there as a whole",
                        "leave stream=true out, or declare another data with the rows wanted here: ... | take(1000)")
STREAM_BATCHES = _message("TFG633", "{name} is streamed, so a training on it needs batches",
                          "write: train ... on {name} in batches of 100 as batch")
FILE_FORM = _message("TFG626", "cannot read {path} as {kind}: {reason}", "{remedy}")
COLUMN_KIND = _message("TFG627", "column {column} holds {what}, but data is numbers",
                          "leave the column out of the file, or turn it into numbers before")
UNKNOWN_COLUMN = _message("TFG628", "there is no column {column}: the columns are {columns}")
COLUMN_CELL = _message("TFG629", "row {row} of column {column} is {cell}, which is not a finite number",
                        "rows count from 0; correct the cell, or remove its row or column")
PACKAGE_MISSING = _message("TFG630", "{kind} need {package}, which is not installed",
                           "install it with: pip install {package}")

FED_COLUMNS = _message("TFG636", "'{name}' is fed two data sets whose columns differ: column {number} is {column} in "
                       "{data} and {other} in {first}",
                       "columns are matched by their place: bring them into the same order in both, or declare another "
                       "placeholder for {data}")

# --- 7xx what TensorFlow reported, and what a run found ---------------------------------------
BUILD_FAILED = _message("TFG701", "TensorFlow cannot build this: {reason}")
RUN_FAILED = _message("TFG702", "{reason}")
EXPECT_FAILED = _message("TFG703", "expected {text}")
MASKED = _message("TFG770", "{name} is a masked array, and masked elements have no value",
                  "give the elements a value, such as array.filled(0.0), or leave their rows out")
RESTORE_MISSING = _message("TFG704", "there is no checkpoint {path}",
                           "save one first; or write as the first line of the session: restore from \"...\" if exists")
SAVE_TWICE = _message("TFG759", "two variables would be saved as '{name}' in {path}", "give each a name of its own")
RESTORE_VARIABLE = _message("TFG705", "the checkpoint {path} has no variable '{name}'", "it has {known}")
RESTORE_TYPE = _message("TFG706", "{name} is {declared}, but {actual} in the checkpoint {path}")
WRITE_FAILED = _message("TFG707", "cannot write {path}: {reason}")
NO_GRADIENT = _message("TFG708", "TensorFlow finds no gradient of {y} with respect to {x}",
                       "an op between them has none, such as a cast to integers or argmax")
NO_GRADIENT_OP = _message("TFG739", "TensorFlow has no gradient for {op}",
                          "use another op, or keep the gradient away from this one: stop_gradient(...)")
NO_FORWARD = _message("TFG714", "there is no forward mode through this: {reason}",
                      "TensorFlow knows no second gradient of an op on the way; use method=\"reverse\" or \"numeric\"")
EXPORT_EXISTS = _message("TFG712", "{path} exists, and {reason}",
                         "export to another folder, or remove it")
EXPORT_TOO_LARGE = _message("TFG734", "{what} needs {size:.1f} GB of data, more than the 2 GB that a model holds",
                            "export what is made of placeholders and variables, or name the data in 'with'")
DEVICE_MISSING = _message("TFG713", "there is no device {name} here",
                          "there are {known}; --soft-placement takes what there is, --config FILE.yaml names a cluster")
NO_XLA = _message("TFG715", "XLA cannot compile this training: {reason}",
                  "take the engine loop, or auto, which takes it where XLA cannot compile")
LOSS_NAN = _message("TFG716", "{what} is NaN (not a number) {when}, so {result}",
                    "a smaller learning_rate may cure it; to train on all the same: train ... with on_nan=\"ignore\"")
ORDER_RANDOM = _message("TFG717", "nothing but the order of the lines says when this execution draws {name}, "
                        "and the numbers of {op} are drawn in one place only",
                        "put it, and what must come before it, into 'after' blocks, or run them in two statements")
RESTORE_UNREADABLE = _message("TFG709", "the checkpoint {path} cannot be read: {reason}")
CHECKPOINT_OTHER = _message("TFG710", "the checkpoint in {path} is of a different program: {what}",
                            "--resume-anyway goes on from what still fits, --fresh starts over; "
                            "or give 'checkpoint' another folder")
CHECKPOINT_DAMAGED = _message("TFG711", "no checkpoint in {folder} is whole: in {name}, {reason}",
                              "bring the files back, or start over with --fresh; nothing was touched")
WRITE_NOT_OURS = _message("TFG735", "{name} is in the way of {path}: {reason}",
                          "save to another path, or move the file away")
CHECKPOINT_HELD = _message("TFG736", "another run works in {path}: {holder}",
                           "wait for it, stop it, or give 'checkpoint' another folder")
CHECKPOINT_NOT_OURS = _message("TFG749", "{path} is named like a checkpoint, but has no whole manifest of tfdsl",
                               "move it away, or give 'checkpoint' another folder; nothing was touched")
CHECKPOINT_MACHINE = _message("TFG737", "the checkpoint in {path} cannot be continued to the bit: {what}",
                              "--resume-anyway goes on all the same, --fresh starts over")

LOG_SHARED = _message("TFG725", "two sessions of this run log to {folder}, and the steps of each begin at 0",
                      "give each a folder of its own, such as: log to \"tf_logs/second-{{now}}\"", "warning")
CLUSTER_SILENT = _message("TFG740", "{task} at {address} does not answer: {reason}",
                          "see that it runs: tfdsl server --config FILE.yaml --job {job} --task {number}; "
                          "--timeout waits longer than {seconds:g} seconds")
CALL_SLOW = _message("TFG741", "this took longer than {seconds:g} seconds, though all servers of the cluster answer",
                     "allow a call more time with --timeout")
CLUSTER_SHARED = _message("TFG743", "{tasks} was lost, and the variables of this session may be those of others",
                          "they cannot be put back, as the session does not initialise them: run it again when the "
                          "servers are there")
VARIABLE_GONE = _message("TFG744", "'{name}' has no value: this session does not initialise it, and nobody else has",
                    "run a session that does before it, or write 'init {name}'")
VARIABLE_CLEARED = _message("TFG748", "{name} has lost its value: somebody else has cleared it on the cluster",
                            "tfdsl reset does so, and a program that begins with variables of the same names: "
                            "give each program a 'container' of its own")
WORKER_ENDED = _message("TFG745", "the process of worker {number} has ended with exit code {code}",
                        "look at what it says above")
WORKER_SILENT = _message("TFG747", "worker {number} has taken no step for {seconds:g} seconds",
                         "see whether its process and its server still run; --timeout waits longer")
CLUSTER_LOST = _message("TFG746", "{tasks} of the cluster was lost", "open a new session when it is there again")
CLUSTER_UNSTEADY = _message("TFG742", "{tasks} was lost {times} times at one place of the program",
                            "look at what the server says when it ends; it may lack memory")

NO_MEMORY = _message("TFG738", "there is not enough memory for this run",
                     "give it more, or less to hold: smaller batches, stream=true for data; "
                     "a training that keeps checkpoints goes on from the last one")

SESSION_CLOSED = _message("TFG750", "this session is closed", "run it inside of: with program.session() as session:")
SESSION_COPIED = _message("TFG751", "an open session can neither be copied nor pickled: it belongs to its process",
                          "open another one: program.session(variables=...) begins with values that you give")

FUNCTION_RAISED = _message("TFG730", "{function} raised {error}: {reason}")
FUNCTION_RESULT = _message("TFG731", "{function} returned {value}, not a tensor",
                           "return a tensor, a tuple of tensors, or an operation")
FUNCTION_VARIABLE = _message("TFG732", "{function} makes the variable '{name}', of which the program would not know",
                             "declare it in the program, and give it to {function} as an argument")
FUNCTION_MISSING = _message("TFG733", "this calls {function}, a function of Python's that is not given",
                            "give it with ops={{\"{function}\": ...}}")

# --- 8xx options and limits -------------------------------------------------------------
UNROLLED = _message("TFG802", "this repeats graph code more than {limit} times", "raise the limit with --max-unroll")
PARAM_UNKNOWN = _message("TFG803", "there is no param '{name}'")
PARAM_TYPE = _message("TFG804", "param '{name}' is {wanted}, but is given {value}")
DATA_UNKNOWN = _message("TFG805", "there is no data '{name}'")
CONFIG_KEY = _message("TFG806", "{path} has the unknown key '{name}'", "known are {known}")
CONFIG_FORM = _message("TFG807", "{path} cannot be read: {reason}")
FILE_MISSING = _message("TFG808", "{path} cannot be read: {reason}")
GRAPHVIZ_MISSING = _message("TFG814", "an svg needs Graphviz, which is not installed",
                            "install it with: pip install pygraphviz; or write .html, which needs nothing")
SESSION_UNKNOWN = _message("TFG809", "there is no session '{name}'")
NO_SESSIONS = _message("TFG810", "{path} has no session, so there is nothing to run",
                       "add one, or use: tfdsl eval FILE EXPR")
NO_CHECKPOINTS = _message("TFG815", "{path} has no training that keeps checkpoints",
                          "add to a 'train': checkpoint every 100 steps in \"checkpoints\"")
VALUE_LARGE = _message("TFG811", "this makes a value of {size}; at most {limit} are built while compiling",
                       "ops such as zeros, range and tile make it when the graph runs; or raise the limit with "
                       "--max-constant")
WORK_LARGE = _message("TFG812", "this program takes too much work to compile",
                      "loops, calls and lists are worked out while compiling: shorten them, or raise the limit with "
                      "--max-unroll {more}")
TIME_LONG = _message("TFG840", "checking this program takes more than {seconds:g} seconds of processor time; "
                     "it got as far as here",
                     "shorten it, or raise the limit with --max-seconds")
FILE_LARGE = _message("TFG841", "{path} has more than {limit} bytes",
                      "divide it into several files, or raise the limit with --max-file-size")
ERRORS_MANY = _message("TFG842", "there are more errors than the {limit} that are told",
                       "mend the others first, or raise the limit with --max-errors")
PARAM_TWICE = _message("TFG813", "param '{name}' is given by keyword and in params", "give it once")
PATH_OUTSIDE = _message("TFG820", "'{path}' is {target}, outside of the folders that this program may touch",
                        "it may touch its own folder and the working folder; allow another one with "
                        "--allow-path {folder}, or allow_paths in Python")
PATH_KIND = _message("TFG821", "'{path}' is {what}, which a program may not open",
                     "only plain files are opened; copy what is in it to one, and name that")
PATH_FORM = _message("TFG822", "'{path}' cannot be a path: {reason}",
                     "write names with / between them, such as \"data/houses.csv\"")
ALLOWED_MISSING = _message("TFG823", "{path} cannot be allowed: there is no such folder",
                           "make it first, or name the folder above it")
FUNCTION_GIVEN = _message("TFG830", "ops has '{name}', which cannot be an op: {reason}")
FUNCTION_CLASH = _message("TFG831", "ops has '{name}', which the language has itself", "give it another name")
TENSOR_LARGE = _message("TFG843", "{op} makes {type}, more than {limit} elements",
                        "make it smaller, or raise the limit with --max-tensor")
CLUSTER_FORM = _message("TFG850", "{path} describes no cluster: {reason}",
                        "write the addresses of each job: cluster: {{ps: [\"10.0.0.1:2222\"], "
                        "worker: [\"10.0.0.2:2222\", \"10.0.0.3:2222\"]}}")
CLUSTER_JOB_MISSING = _message("TFG851", "the cluster of {path} has no job '{job}'",
                               "it needs ps, which keeps the variables, and worker, which computes")
CLUSTER_ADDRESS = _message("TFG852", "the cluster of {path} has {address!r} for {job} {task}: {reason}",
                           "write it as \"10.0.0.1:2222\", \"name.of.machine:2222\" or \"[::1]:2222\"")
CLUSTER_TWICE = _message("TFG853", "the cluster of {path} has the address {address} twice, for {first} and {second}",
                         "each task is a process of its own: give it a port of its own")
CLUSTER_MISSING = _message("TFG854", "{path} describes no cluster: it has no key 'cluster'",
                           "write the addresses of each job: cluster: {{ps: [\"10.0.0.1:2222\"], "
                           "worker: [\"10.0.0.2:2222\", \"10.0.0.3:2222\"]}}")
SERVER_PORT = _message("TFG860", "{job} {task} cannot listen on port {port}: {reason}",
                       "end the process that has the port, or give this task another one in {path}")
SERVER_ENDED = _message("TFG861", "{job} {task} {reason}, and does not listen yet",
                        "what it said stands above this; tfdsl server starts one alone")
BUG = _message("TFG899", "this is a bug in tfdsl, not in your program: {reason}",
               "please report it, with the program if you can")

# --- 9xx warnings -----------------------------------------------------------------------------
UNUSED = _message("TFG901", "'{name}' is never used", "use it, remove it, or call it _{name}", "warning")
UNUSED_VALUE = _message("TFG902", "this value is never used", "give it a name and use it, or remove it", "warning")
OPTIMIZER_POSITION = _message("TFG904", "{value} is '{name}' of {optimizer}, not its learning rate",
                              "write {optimizer}(learning_rate={value}), or {name}={value} if that is meant", "warning")
READ_AGAIN = _message("TFG960", "method=\"{method}\" reads '{name}' again, which has been written since",
                      "take the gradient on a line above the one that writes, or use method=\"reverse\", which takes "
                      "what was read", "warning")
DROPS = _message("TFG955", "dropout of line {line} drops elements in {what} too: it does so in every execution",
                 "nn.dropout(x, rate={rate}) drops in training only", "warning")
ORDER_OPEN = _message("TFG915", "nothing but the order of the lines says when '{name}' is {what} here",
                      "put what comes second into 'after {before}:', or write two statements", "warning")
ORDER_NAMED = _message("TFG916", "this statement writes '{name}' and also names it: it reads the value after "
                       "all that it writes",
                       "to be clear, or for the value before, write two statements", "warning")
ORDER_EXPORTED = _message("TFG917", "nothing says when '{name}' is {what} in this model: any order may come out",
                          "put what comes second into an 'after', or export two models", "warning")
WARNINGS_MANY = _message("TFG905", "there are more warnings than the {limit} that are told",
                         "mend the others first, or raise the limit with --max-errors", "warning")
FED_TO_ALL = _message("TFG923", "{what} is fed {names} too, so its layers work as in training", "", "warning")
BY_HAND = _message("TFG924", "{what} changes {names} by hand, with 'training' false",
                   "write: with training = true, or training = false if that is meant; it is true by itself where "
                   "an 'optimize' takes a step", "warning")
UNTAKEN = _message("TFG925", "nothing takes the step of this 'optimize'",
                   "write a 'train' whose body has no 'run', or run the step by a name (optimize ... as step), or "
                   "remove it", "warning")
STEP_TWICE = _message("TFG926", "this takes a step besides the one that every turn takes at its end",
                      severity="warning")
SYNTHETIC = _message("TFG903", "{name} could not be had; a synthetic set of the same shape takes its place",
                     "results are not those of the real data", "warning")


FED_SCALE = _message("TFG940", "'{name}' is fed {data}, which is not scaled by the numbers that scale {first}",
                     "put the rows of both into one data: after split, one mean scales .train and .test", "warning")
BATCH_UNUSED = _message("TFG941", "the steps of this training are fed nothing of its batches",
                        "write in the body: feed {name} = {batch}.features; or train without data: train 100 steps:",
                        "warning")
ROUNDED = _message("TFG942", "{dtype} cannot hold {value}, which becomes {rounded}",
                   "write the number that is meant, or use float64 or, for a whole number, int64", "warning")
DATA_ROUNDED = _message("TFG943", "column {column} of {data} holds whole numbers that float32 cannot: row {row} is "
                        "{value}, which becomes {rounded}",
                        "leave the column out if it only names the rows; or scale it by standardize or minmax, which "
                        "compute in float64", "warning")
DATA_EMPTIED = _message("TFG945", "{transform} makes column {column} of {data} 0: it is {value} in all training rows",
                        "leave the column out; for a bias, add_bias makes a column of ones that stays", "warning")
TEST_TRAINED = _message("TFG946", "{data}.test is used, but line {line} has trained on {rows}", severity="warning")
FEED_ROUNDED = _message("TFG944", "'{name}' is {dtype}, which cannot hold {value}: it becomes {rounded}",
                        "declare it float64, or int64 where all numbers are whole, and cast it where it is used",
                        "warning")
CHECKPOINT_SKIPPED = _message("TFG910", "{path} is damaged: {reason}; the checkpoint of step {step} is taken instead",
                              "remove the damaged one when nobody needs it", "warning")
CHECKPOINT_GONE = _message("TFG911", "{path} had vanished; it was made again, with one checkpoint", "", "warning")
LOG_GONE = _message("TFG912", "the event file in {path} has vanished; what is logged from here on is in a new one",
                    "", "warning")
SERVER_OPEN = _message("TFG914", "TensorFlow listens on {ports} of every network of this machine, whatever addresses "
                       "are in the file, without a password or encryption",
                       "who reaches it can run code as this user: put a firewall, a private network or a VPN in front",
                       "warning")
PAIRED = _message("TFG927", "{op} pairs each row of {tall} with every row of {short}: {a} and {b} give {shape}",
                  "write {one} for {short} to pair row with row, or {every} if every pair is meant", "warning")
AXIS_FIRST = _message("TFG928", "{op} works along axis 0 of {type} where it is given no axis",
                      "write axis=-1 for the last axis, such as the class of each row, or axis=0 if that is meant",
                      "warning")
KEEP_PROB = _message("TFG929", "{value} is 'keep_prob' of dropout, the share that it keeps",
                     "write rate={value} to drop that share, or keep_prob={value} to keep it; "
                     "nn.dropout(x, rate=...) drops in training only", "warning")
THROUGH_TWICE = _message("TFG930", "{op} applies {applies} itself, but {logits} has been through {first} already",
                         "leave {first} out of what it is given (in a layer, activation={first}); apply it only to "
                         "what is printed or exported", "warning")
ONE_CLASS = _message("TFG931", "{op} works along an axis of size 1 of {type}, so {result}",
                     "give it a column for each class; one column is for sigmoid and nn.binary_accuracy", "warning")
NOT_LOGITS = _message("TFG933", "{logits} has been through {first}, so it is never below 0, with which it is compared",
                      "leave {first} out of what it is given (in a layer, activation={first}): a logit of 0 is a share "
                      "of 0.5", "warning")
INIT_RESTORED = _message("TFG934", "{what} gives {names} the initial value again, and what was restored is lost",
                         "write it before the restore", "warning")
AFTER_ALIAS = _message("TFG935", "'after' does not order {name}, which is only another name for what was made before",
                       "make a node of it in the block: identity({value})", "warning")
BRANCH_OUTSIDE = _message("TFG936", "{name} changes its variable {what}, for it is made before",
                          "make it in {inside}, and use it there", "warning")
NEVER_RUNS = _message("TFG937", "this {op} never runs: nothing that leaves the '{word}' needs it",
                      "use its value, or put what leaves behind it in an 'after'; or remove it", "warning")
LOG_AGAIN = _message("TFG938", "the steps of {what} begin at 0 again, in one log with those of {first}",
                     "log to another folder before it, such as: log to \"tf_logs/second-{{now}}\"", "warning")
TAG_AGAIN = _message("TFG939", "there is a summary with the tag \"{tag}\" already, so this one is shown as \"{tag}_1\"",
                     "give it a tag of its own, or put it into a scope", "warning")
SWAPPED = _message("TFG932", "the labels of {op} are made of variables, and its logits are not",
                   "swap the two if they are in the wrong order: {call}", "warning")
RUN_AGAIN = _message("TFG961", "this {what} runs {name} again: line {line} runs it too", severity="warning")
UNRUN = _message("TFG962", "nothing runs {name}, so it never changes {variables}", severity="warning")
TRAINED_LOST = _message("TFG963", "this '{what}' overwrites what line {line} has trained before anything uses it",
                        "{leave}write it before the training; or save, print or expect something between the two",
                        "warning")
TRAINED_BY_BOTH = _message("TFG964", "this 'optimize' trains {names}, which the 'optimize' of line {line} trains for "
                           "another loss", severity="warning")
FEED_UNNEEDED = _message("TFG965", "{what} does not depend on '{name}', so feeding it changes nothing",
                         "leave {name} out, or name something that is made from it", "warning")
IDLE = _message("TFG967", "nothing waits for this {op}, so it never runs", severity="warning")
RATE = _message("TFG966", "{value} is the 'rate' of dropout, the share that it drops", severity="warning")


class Note(Record):
    """A line below the excerpt. `{line}` in its text is the line of its place."""

    text: str
    span: Span | None = None


Frame = tuple[str, Span]  # what was entered (`relu` called, a file imported) and where


class Diagnostic(Record):
    """One error or warning: what, where, and why."""

    message: Message
    span: Span | None
    details: Mapping[str, object] | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""  # in place of the message's own
    chain: tuple[Frame, ...] = ()  # the calls and imports that lead here, outermost first
    cause: BaseException | None = None  # what a function of the caller's raised

    def outside_libraries(self) -> "Diagnostic":
        """The same, shown where the program calls the library that it was found in. A call that holds the place is no
        frame around it."""
        if self.span is not None and self.chain and self.chain[-1][1].holds(self.span):
            return replace(self, chain=self.chain[:-1]).outside_libraries()
        at = next((i for i, (_, span) in reversed(list(enumerate(self.chain))) if not span.source.is_library), None)
        if self.span is None or not self.span.source.is_library or at is None:
            return self
        note = Note("it was found on line {line}", self.span)
        return replace(self, span=self.chain[at][1], chain=self.chain[:at], notes=(*self.notes, note))

    @property
    def code(self) -> str:
        return self.message.code

    @property
    def severity(self) -> str:
        return self.message.severity

    @property
    def headline(self) -> str:
        return self.message.headline.format(**(self.details or {}))

    @property
    def help_line(self) -> str:
        return self.help or self.message.help.format(**(self.details or {}))


class TfgError(Exception):
    """A program cannot be compiled or its run failed; `diagnostics` say why, errors and warnings."""

    def __init__(self, diagnostics: Iterable[Diagnostic]):
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)
        self.__cause__ = next((d.cause for d in self.diagnostics if d.cause is not None), None)

    def __str__(self) -> str:
        from .render import render_text

        return "\n".join(map(render_text, self.diagnostics))
