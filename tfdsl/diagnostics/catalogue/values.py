"""4xx: Values and calls."""

from ..message import message as _message

NOT_CALLABLE = _message("TFG401", "{value} cannot be called")
ARGUMENT_MISSING = _message("TFG402", "{function} needs its argument '{name}'", "it is {function}({signature})")
ARGUMENT_UNKNOWN = _message("TFG403", "{function} has no argument '{name}'", "it is {function}({signature})")
ARGUMENT_TWICE = _message("TFG404", "{function} gets its argument '{name}' twice")
REST_KIND = _message("TFG488", "{value} cannot be passed on with **",
                     "** passes on the named arguments that a parameter such as **options of a def has taken")
ARGUMENTS_MANY = _message("TFG405", "{function} takes {limit} by position, not {count}",
                          "it is {function}({signature})")
ARGUMENT_KIND = _message("TFG406", "{function} needs {wanted} for '{name}', but it is {value}")
NOT_TENSOR = _message("TFG407", "{value} cannot be used as a tensor here")
NOT_STATIC = _message("TFG408", "{what} must be known while compiling, but it is {value}",
                      "use a number, a param, or a size such as X.shape[1]")
SIZE_UNKNOWN = _message("TFG409", "size {axis} of {text} is not known while compiling",
                        "write shape({tensor})[{axis}] for its value while running, or "
                        "cast(shape({tensor})[{axis}], float32) to compute with floats")
RAGGED = _message("TFG410", "the rows of this list have different lengths", "make all rows equally long")
MIXED_LIST = _message("TFG411", "this list mixes {first} and {second}", "use values of one kind")
OPERATOR = _message("TFG412", "'{op}' does not work on {left} and {right}")
SEARCHED = _message("TFG490", "'{op}' looks for one value, but {value} is {shape}",
                    "take one element of it, or compare with ==, which is true if all elements are equal")
CLIPPED_TWICE = _message("TFG492", "an optimizer takes only one of {clips}", "keep one of them")
TRAINED_COMPLEX = _message("TFG491", "no optimizer trains {name}, which is {dtype}",
                           "train its two float parts, and combine them: complex(re, im)")
OPERATOR_ONE = _message("TFG413", "'{op}' does not work on {value}")
ARITHMETIC = _message("TFG414", "this cannot be computed: {reason}")
INDEX_KIND = _message("TFG415", "{value} cannot be indexed with {index}")
INDEX_RANGE = _message("TFG416", "index {index} is out of range for {of}: its size is {size}",
                       "indices count from 0; negative ones count from the end")
INDEX_MANY = _message("TFG417", "{count:index/indices} for {type}, which has {rank:axis/axes}")
NOT_ITERABLE = _message("TFG418", "'for' cannot iterate over {value}",
                        "it iterates over range(...), lists, and unstack(x) for the rows of a tensor")
UNPACK = _message("TFG419", "cannot assign {count} to {names:name}")
CONDITION_TENSOR = _message("TFG420", "this condition is {value}; here it must be known while compiling",
                            "decide by what is known, such as a param or data.rows; for tensors write: "
                            "a if condition else b")
RECURSION = _message("TFG421", "{name} calls itself", "graph code is finite; repeat with 'for'")
RETURN_OUTSIDE = _message("TFG422", "'return' is outside a function")
NO_VALUE = _message("TFG423", "{function} returns nothing, so there is no value to use")
NOT_DIFFERENTIABLE = _message("TFG424", "{y} does not depend on {x} in a way that has a gradient")
GRADIENT_COUNT = _message("TFG493", "{gradients:gradient} cannot be applied to {variables:variable}",
                          "give one gradient for each variable, in the same order, as gradients(loss, variables) does")
GRADIENT_TYPE = _message("TFG494", "'{name}' is {declared}, but its gradient is {type}",
                         "the first gradient belongs to the first variable, and so on: each has its variable's type")
GRADIENT_TWICE = _message("TFG495", "'{name}' is given two gradients",
                          "add them up: name the variable once")
COUNT_KIND = _message("TFG496", "global_step takes a variable that is a whole number, or none, not {value}",
                      "leave it out: a graph with one optimizer counts its steps; or write global_step=none")
COUNTED_BY_NONE = _message("TFG497", "nothing counts 'global_step': the graph has several optimizers, and none says "
                           "that it does",
                           "write after one of them: , global_step=global_step")
NOT_VARIABLE = _message("TFG425", "{what} needs a variable, but this is {value}")
SHAPE_INCOMPLETE = _message("TFG426", "a variable needs a complete shape, but its initial value is {type}",
                            "declare its type with a number for each size: variable {name}: float32[2, 1] = ...")
INITIAL_TYPE = _message("TFG427", "'{name}' is declared as {declared}, but its value is {type}")
INITIAL_MISSING = _message("TFG428", "variable '{name}' has no initial value",
                           "write one: variable {name}{type} = {value}")
OPTION_UNKNOWN = _message("TFG429", "{statement} has no option '{name}'", "it has {known}")
LOSS_TWICE = _message("TFG430", "a second loss for one graph", "add the two in one statement: {sum}")
LOSS_MISSING = _message("TFG431", "there is no loss to minimise",
                        "say what to minimise: optimize {loss} with {optimizer}")
LOSS_TYPE = _message("TFG432", "a loss is one number of a float dtype, but this is {type}",
                     "take its mean: reduce_mean(...)")
NOTHING_TRAINABLE = _message("TFG433", "this loss has a gradient for no trainable variable, so nothing can be trained")
NOT_OPTIMIZER = _message("TFG434", "{value} is not an optimizer",
                         "the optimizers are {known}")
SUMMARY_KIND = _message("TFG435", "there is no summary '{kind}'", "there are {known}")
SUMMARY_TYPE = _message("TFG436", "'summary {kind}' needs {wanted}, but this is {type}")
SEED_VALUE = _message("TFG437", "a seed is a whole number from 0 to 2147483647, not {value}")
SEED_TWICE = _message("TFG438", "a second seed for one graph")
SEED_LATE = _message("TFG439", "the seed comes after nodes that it should have seeded", "make it the first line")
DTYPE_UNKNOWN = _message("TFG440", "there is no dtype '{name}'", "the dtypes are {known}")
DIM_VALUE = _message("TFG441", "a size is a whole number from 0, a name or ?, not {value}")
GRAPH_PLACE = _message("TFG442", "{what} is not allowed here",
                       "{hint}")
GRADIENT_DTYPE = _message("TFG461", "gradients by the method {method} are for real floats, but {name} is {type}",
                          "use method=\"reverse\", or real numbers")
SYMBOLIC_SHAPE = _message("TFG462", "symbolic gradients are for scalars, but {name} is {type}",
                          "use method=\"reverse\"; or take an element, or a sum, for which there is a formula")
SYMBOLIC_OP = _message("TFG463", "there is no formula for {op}, on which this gradient by {x} depends",
                       "use method=\"reverse\"; there are formulas for arithmetic and functions such as exp")
SYMBOLIC_MISSING = _message("TFG464", "symbolic gradients need SymPy, which is not installed",
                            "install it with: pip install sympy")
WRITES_AGAIN = _message("TFG536", "method=\"{method}\" executes the ops in between again, and would write '{name}' "
                        "again",
                        "use method=\"reverse\", which executes nothing twice")
GRADIENT_METHOD = _message("TFG443", "there is no method '{method}' for gradients",
                           "the methods are reverse, forward, symbolic and numeric")
LIST_SHAPES = _message("TFG481", "this list has values of the types {first} and {second}, which do not form an array",
                       "write them without the brackets, one after the other")
NEGATIVE_POWER = _message("TFG482", "{type} cannot be raised to the negative power {power}: whole numbers have none",
                          "use a float, as in cast(x, float32) ** {power}")
DTYPE_MISMATCH = _message("TFG444", "{value} cannot become {dtype}", "{hint}")
VALUE_OF = _message("TFG445", "{function} cannot take {name}, which is {value}")
TYPE_MISSING_SHAPE = _message("TFG446", "{name} as an initial value needs the variable's type",
                              "write: {variable}: float32[2, 1] = {text}, with its own sizes")
NOT_TEXT = _message("TFG447", "{what} must be a string, but it is {value}", "write it in double quotes")
REGION_PLACE = _message("TFG448", "{what} is not allowed inside a 'while', an 'if' on a tensor, or a function that "
                        "map_fn, foldl or scan applies",
                        "put it before: it exists once, however often that runs")
APPLIED_TYPE = _message("TFG465",
                        "{function} gets {first} from {op}, and must return the same, but it returns {second}",
                        "the values that go from element to element keep their dtype and shape: cast what it returns, "
                        "or begin with an initializer of that type")
APPLIED_RESULT = _message("TFG466", "{function} returns nothing, so {op} has nothing to make a tensor of",
                          "end it with a return, such as: return x * x")
CONTROL_NOTHING = _message("TFG449", "this '{word}' computes nothing: {what}")
CONDITION_TYPE = _message("TFG450", "the condition of '{word}' must be one bool, but it is {value}")
LOOP_CONDITION = _message("TFG451", "the condition of this 'while' is {value} before the loop runs",
                          "compare a name that the body rebinds, as in: while i < 10, and in the body: i = i + 1; to "
                          "repeat while compiling, use 'for'")
LOOP_VALUE = _message("TFG452", "'{name}' is {value}, a value of the compiler: the graph cannot choose it",
                      "only tensors, numbers and lists of them can be results of a 'while' or 'if' in the graph")
LOOP_TYPE = _message("TFG453", "'{name}' is {first} before the loop, but {second} after an iteration",
                     "a loop's variable keeps its dtype and shape: cast it, or start with the same type")
LOOP_RETURN = _message("TFG454", "'return' cannot leave a 'while'", "bind a name in the loop, and return it after")
BRANCH_NAMES = _message("TFG455", "'{name}' is bound in one branch of this 'if' only",
                        "both branches of an 'if' on a tensor bind the same names")
BRANCH_TYPE = _message("TFG456", "{name} is {first} in one branch of this 'if', but {second} in this one",
                       "both branches must give one dtype and shape")
BRANCH_RETURN = _message("TFG457", "one branch of this 'if' returns and another does not",
                         "on a tensor, all branches return or none does; give it an 'else' that returns too")
PARAM_SHAPE = _message("TFG460", "the type of param '{name}' cannot have a shape",
                       "leave the shape out; a list of numbers needs no type: param sizes = [300, 100]")
DEVICE_NAME = _message("TFG458", "'{name}' is not a TensorFlow device",
                       "write \"/cpu:0\", \"/gpu:1\", or \"/job:ps/task:0\" for a machine of a cluster")
CONTAINER_NAME = _message("TFG459", "'{name}' cannot be the name of a container",
                          "use letters, digits and _ . / - in it, and begin with a letter or a digit")

RAW_UNKNOWN = _message("TFG470", "TensorFlow has no op '{name}'", "tfdsl ops raw.Roll describes one of them")
RAW_COUNT = _message("TFG471", "{op} needs {wanted} for '{param}', but got {count}")
RAW_RESOURCE = _message("TFG472", "{op} needs {wanted} for '{param}', but it is {value}",
                        "it takes the name of a variable, or the output of the op that made the resource")
RAW_REFERENCE = _message("TFG478", "{op} needs a reference to a variable for '{param}', but it is {value}",
                         "raw.VariableV2(shape=..., dtype=...) makes one")
RAW_FUNCTION = _message("TFG473", "{function} needs a function of the graph for '{name}', but it is {value}",
                        "declare one: function f(x: float32) -> (float32):")
LATER_PLACE = _message("TFG489", "'later {name}' can only be an input of raw.Merge beside one that is there already",
                       "a loop of the language is simpler: while i < n:")
LATER_MISSING = _message("TFG498", "nothing further down binds '{name}'",
                         "in the same block, write: {name} = raw.NextIteration(data=...)")
LATER_LOOP = _message("TFG499", "'{name}' comes back into a loop of {dtype}, but it is {value}",
                      "write: {name} = raw.NextIteration(data=...), of a {dtype}")
FUNCTION_BODY = _message("TFG467", "the body of a function of the graph has raw ops only, but {name} has {value}",
                         "a def can have everything: def {name}(...):")
FUNCTION_RETURN = _message("TFG468", "{name} must end with its only 'return', which names no node",
                           "return a, b after c")
FUNCTION_OUTPUT = _message("TFG469", "{name} must return {wanted}, but it returns {value}")
NO_CONTENT = _message("TFG475", "{name} is a {dtype}, which has no value outside the graph",
                      "read it with an op, such as raw.ReadVariableOp(resource=..., dtype=float32)")
RAW_REACHES = _message("TFG477", "{op} {what}, which ops in a program cannot do",
                       "{instead}")
OUTSIDE_EXECUTED = _message("TFG479", "'{statement}' would execute {op}, which {what}: no program can do that",
                            "{instead}")
RAW_EVALUATED = _message("TFG487", "TensorFlow might execute {op} here as it builds the graph, though the op {what}",
                         "what it makes can only be given to an op that changes a variable, such as raw.Assign")
ENGINE_UNKNOWN = _message("TFG476", "there is no engine '{name}'", "it is step, loop, xla or auto")
NAN_UNKNOWN = _message("TFG480", "on_nan cannot be '{name}'", "it is stop, or ignore to train on with a loss of NaN")
BATCH_TENSOR = _message("TFG474", "{name} exists only while the loop runs, so no node can use it",
                        "feed it to a placeholder, and use that: feed X = {name}")

CLASS_NUMBERS = _message("TFG485", "{function} takes one class number for each row as its labels, but {name} is {type}")
LOGITS_COLUMNS = _message("TFG486", "{function} takes logits with a column for each class, but {name} is {type}")
