"""5xx: Sessions."""

from ..message import message as _message

UNFED = _message("TFG501", "{what} needs {names} to be fed", "write: with {first} = ...")
FEED_SHAPE = _message("TFG502", "{name} is {declared}, but is fed {actual}")
FEED_DTYPE = _message("TFG503", "{name} is {declared}, but is fed {actual}")
FEED_SIZE = _message("TFG504", "the size '{size}' is {first} for {first_name}, but {second} for {second_name}",
                     "feed arrays with the same number of rows")
FEED_TARGET = _message("TFG505", "{value} cannot be fed", "{hint}")
FEED_TWICE = _message("TFG506", "{name} is fed twice")
UNINITIALISED = _message("TFG507", "{name} is not initialised in this session", "write {where}: init {target}")
SESSION_NAME = _message("TFG508", "there is no graph '{name}'")
OUTSIDE_TRAIN = _message("TFG509", "'{what}' is only allowed in the body of 'train'")
LOG_WITHOUT_TO = _message("TFG510", "there is no folder to log to yet",
                          "write {place}: log to \"tf_logs/run-{{now}}\"")
NO_SUMMARY = _message("TFG511", "there is no summary '{tag}'")
NO_SUMMARIES = _message("TFG512", "there is no summary to log", "declare one before the session: summary scalar {name}")
COUNT_VALUE = _message("TFG513", "{what} is a whole number above 0, not {value}")
BATCH_WITHOUT_DATA = _message("TFG514", "'in batches of' needs data",
                              "write: {header}")
NO_STEP = _message("TFG515", "this training has nothing to run", "{way}")
NESTED_TRAIN = _message("TFG516", "a 'train' is not allowed inside another")
NOT_CONDITION = _message("TFG517", "{value} is not a condition",
                         "compare something: mse < 0.5")
UNKNOWN_FIELD = _message("TFG518", "there is no value '{name}' for this string",
                         "braces can contain {known}; write other values next to the text: print \"x is\", x; a "
                         "plain brace is written {{{{")
TEMPLATE_BRACE = _message("TFG519", "a string has a lone '{brace}'", "a plain brace is written {brace}{brace}")
TEMPLATE_INSIDE = _message("TFG570", "{field} is not filled in {where}",
                           "give the text a name before: text = {text}, and write text in its place")
CHECKPOINT_TWICE = _message("TFG520", "a second checkpoint in one training")
CHECKPOINT_MOVING = _message("TFG521", "the folder of a checkpoint must be the same in every run",
                             "leave {{now}}, {{epoch}}, {{step}} and values of the session out of it")
RUN_VALUE = _message("TFG522", "'run' needs a node, but this is {value}")
INIT_TARGET = _message("TFG523", "{what} takes variables, but this is {value}")
SAVED_AS_MANY = _message("TFG565", "'{name}' has {count:variable}, which cannot all have one name in the checkpoint",
                         "leave 'as' out: they keep their names; or name one of them")
NO_VARIABLES = _message("TFG524", "this graph has no variables to {what}")
NESTED_CHECKPOINT = _message("TFG525", "'checkpoint' must be directly in the body of 'train'")
SESSION_TWICE = _message("TFG526", "a second session '{name}'")
PLAN_PLACE = _message("TFG527", "{what} is not allowed here",
                      "put it before or after the loop")
EXPORT_NAME = _message("TFG528", "an exported value needs a name for its users, but '{text}' has none",
                       "give it one in the graph half: scores = {text}")
EXPORT_NOTHING = _message("TFG586", "this export names no value, and the graph has no signature for it",
                          "name what the model computes: export p with X to ...; or declare it in the graph half: "
                          "signature \"serving_default\": p with X")
SIGNATURE_TWICE = _message("TFG587", "a second signature '{name}' in one graph", "give it another name")
SIGNATURE_NAME = _message("TFG588", "a signature needs a name of characters that can be printed",
                          "write: signature \"serving_default\": ...")
SIGNATURE_STEP = _message("TFG589", "the signature '{name}' takes a step, but returns no value",
                          "name a value beside the step, such as its loss: {step}, cost")
EXPORT_DATA = _message("TFG580", "an exported model can make {name} of columns of data, but {text} is {value}",
                       "write: {name} = {data}.features, or another field of data; or {name} alone, as an input of its "
                       "own")
EXPORT_OUTSIDE = _message("TFG581", "an exported model cannot contain {name}, so it cannot compute {target} from the "
                          "columns of {data}",
                          "make {target} an input: write 'with {target}', without '=' and the data; or predict the "
                          "rows of a file: tfdsl predict ... --values {values}")
EXPORT_COLUMN = _message("TFG582", "two inputs of the model would be named {name}: a column of {data}, and {other}",
                         "inputs that are made of data are named after its columns: rename the column or the "
                         "placeholder")
EXPORT_CONFUSED = _message("TFG584", "a model cannot make {target} of the column {column} of {data}: {why}",
                           "export {target} as an input: leave out what is right of '='; or let tfdsl do "
                           "it for rows in a file: tfdsl predict ... --values {values}; or write these cells otherwise "
                           "in the file, as another text")
EXPORT_RENAMED = _message("TFG583", "the exported model takes {pairs}",
                          "TensorFlow calls the model as a Python function, with names that Python allows: "
                          "call it with {first}=...", "warning")
TRAINING_KIND = _message("TFG533", "{function} needs a bool for 'training', but it is {value}")
TRAINING_LATE = _message("TFG534", "'{name}' was used before it is bound here",
                         "bind it above that line, or leave it out: every graph has a 'training', which is true "
                         "where an 'optimize' takes a step")
EXPORT_TWICE = _message("TFG529", "two things are exported as '{name}'",
                        "give one of them another name in the graph half: other_{name} = ...")
BY_NAME = _message("TFG540", "{function} takes {names} by name only, because they are easily swapped",
                   "write {call}")
SWAPPED_SURELY = _message("TFG537", "{function} gets its labels and logits in the wrong order",
                          "write {call}: the labels come first", "error")

RESTORE_FOLDER = _message("TFG538", "'restore' cannot read {path}, the folder in which line {line} keeps checkpoints",
                          "leave it out: the next tfdsl run resumes from them; or write before it: save to "
                          "\"trained.ckpt\", and here: restore from \"trained.ckpt\"")
VALUE_TAKEN = _message("TFG550", "'{name}' is {what} already", "choose another name: my_{name} = ...")
VALUE_TYPE = _message("TFG551", "'{name}' was {before} before this training and becomes {after} in it",
                      "give the two values different names")
ORDER_REFERENCE = _message("TFG585", "nothing decides when '{name}' is {what} here: reference variables have no order",
                           "write two statements, or let the second one use the result of the first: for what "
                           "reads such a variable, an 'after' does not wait")
VALUE_NONE = _message("TFG552", "{value} has no value to give a name", "{way}")
MAY_BE_UNBOUND = _message("TFG553", "{name} may have no value here")
BETTER_VALUE = _message("TFG566", "{what} compares a number with those before, not {value}",
                        "write a value of the session or a tensor that is one number, such as test.mse")
KEPT_NOTHING = _message("TFG567", "'keep' on line {line} has kept nothing in {path} in this run",
                        "its value was never a number, or its block never came due: look at what it compares and how "
                        "often; an older file of that name is not read")
LOG_UNTAGGED = _message("TFG568", "no summary has a value of '{name}', so it has no tag for its curve",
                        "declare one in the graph half for a value that is logged: summary scalar {value}")
BRANCH_VALUES = _message("TFG569", "'{name}' would be {before} or {after}, as the run decides",
                         "give it values of one type, or give the other one another name")
EVALUATE_NAME = _message("TFG554", "an evaluate with several values needs a name for each",
                         "write: evaluate {text} as NAME")
VALUE_TWICE = _message("TFG555", "two values are called '{name}'", "write: {text} as other_{name}")
EVALUATE_COUNT = _message("TFG557", "{names} names are given {values} values",
                          "write a name for each value, or one name for all: {name} = evaluate ..., and then "
                          "{name}.{field}")
NOT_COMBINED = _message("TFG558", "{value} over all rows cannot be made of its values for batches: {why}",
                        "{way}")
EVALUATE_ROWS = _message("TFG559", "{value} has no rows to train on",
                         "a training takes data, or a name that an evaluate gave values with a row for each row of "
                         "its data")
EVALUATE_BATCH = _message("TFG560", "{name} is a batch of the training, not of this evaluate",
                          "write: evaluate ... as b with ... = b.{field}")
TEMPLATE_FORMAT = _message("TFG562", "the format '{spec}' does not fit {value}",
                           "formats are Python's, as in {{mse:.3f}}, {{epoch:4d}} or {{accuracy:.1%}}")
TEMPLATE_TENSOR = _message("TFG563", "a path cannot contain {name}, which is computed in the graph",
                           "give its value a name before: value = {name}")
WRITE_SUFFIX = _message("TFG564", "no format for the file '{path}'", "the formats are {suffixes}")

LOSS_INFINITE = _message("TFG543", "{what} is infinite at step {step}",
                         "a smaller learning_rate may cure it, or log(x + 1e-8) for log(x); to leave this warning out: "
                         "train ... with on_nan=\"ignore\"", "warning")
