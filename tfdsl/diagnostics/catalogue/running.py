"""7xx: Runs: failures inside TensorFlow, checkpoints, clusters."""

from ..message import message as _message

BUILD_FAILED = _message("TFG701", "TensorFlow cannot build this: {reason}")
RUN_FAILED = _message("TFG702", "{reason}")
EXPECT_FAILED = _message("TFG703", "expected {text}")
MASKED = _message("TFG770", "{name} is a masked array, and masked elements have no value",
                  "give the elements a value, such as array.filled(0.0), or leave their rows out")
RESTORE_MISSING = _message("TFG704", "there is no checkpoint {path}",
                           "save one first; or write as the first line of the session: restore from \"...\" if exists")
SAVE_TWICE = _message("TFG759", "{what} in the checkpoint", "{way}")
RESTORE_VARIABLE = _message("TFG705", "the checkpoint {path} has no {names}", "it has {known}")
RESTORE_TYPE = _message("TFG706", "{name} is {declared}, but {actual} in the checkpoint {path}")
WRITE_FAILED = _message("TFG707", "cannot write {path}: {reason}")
NO_GRADIENT = _message("TFG708", "TensorFlow finds no gradient of {y} with respect to {x}",
                       "an op between them has none, such as a cast to integers or argmax")
NO_GRADIENT_OP = _message("TFG739", "TensorFlow has no gradient for {op}",
                          "use another op, or keep the gradient away from this one: stop_gradient(...)")
NO_FORWARD = _message("TFG714", "forward mode needs the gradient of {op}, which TensorFlow does not define",
                      "use method=\"reverse\" or \"numeric\"")
EXPORT_EXISTS = _message("TFG712", "{path} exists, and {reason}",
                         "export to another folder, or remove it")
WRITE_EXISTS = _message("TFG760", "{path} exists, and it is not a file that tfdsl wrote, or it was changed since",
                        "write to another file, or remove it; --overwrite replaces it")
WRITE_ROWS = _message("TFG761", "{name} has {rows}, but {other} has {other_rows}",
                      "values in one file have the same number of rows: write them to two files")
WRITE_ONE = _message("TFG762", "a file {path} has one value, but there are {count}",
                     "write each to a file of its own, or all to an .npz file")
WRITE_NOTHING = _message("TFG763", "{name} is not a number, text or array that can be written")
CHECKPOINT_VALUE = _message("TFG771", "the checkpoint in {folder} has no value of '{name}', which the session needs",
                            "tfdsl run --fresh begins again")
VALUES_ASYNC = _message("TFG772", "with --async a training cannot use '{name}', which only this process has",
                        "run without --async; or write it to a file, as in write {name} to \"{name}.npz\", and train "
                        "on that file in another program")
OUTPUT_AXES = _message("TFG764", "{name} {shape} has more than one number in a column of a row",
                       "write it to an .npz or .npy file, which have all axes")
OUTPUT_KIND = _message("TFG765", "{name} has the dtype {dtype}, which the file cannot have",
                       "convert it in the graph: cast(..., float32)")
OUTPUT_NAME = _message("TFG766", "two columns of the file would be called {name}",
                       "give one of the values another name: write ... as other")
OUTPUT_TEXT = _message("TFG767", "{name} has bytes in row {row} that are no text in UTF-8",
                       "write it to the file after decoding it")
PICTURE_SHAPE = _message("TFG768", "{name} {shape} is no picture",
                         "pictures are [n, height, width, channels], with 1, 3 or 4 channels")
PICTURE_RANGE = _message("TFG769", "{name} has {what}, but pictures have numbers from 0 to 255", "{way}")
EXPORT_TOO_LARGE = _message("TFG734", "{what} needs {size:.1f} GB of data, more than the 2 GB limit of a model",
                            "export values made from placeholders and variables, or name the data in 'with'")
DEVICE_MISSING = _message("TFG713", "there is no device {name} here",
                          "there are {known}; --soft-placement uses an available one, --config FILE.yaml names a "
                          "cluster")
NO_XLA = _message("TFG715", "XLA cannot compile this training: {reason}",
                  "use the engine loop, or auto, which uses loop if XLA cannot compile")
LOSS_NAN = _message("TFG716", "{what} is NaN (not a number) {when}, so {result}",
                    "a smaller learning_rate may cure it; to continue anyway: train ... with on_nan=\"ignore\"")
ORDER_RANDOM = _message("TFG717", "only the order of the lines decides when this execution draws {name}, and {op} "
                        "can draw its numbers in one place only",
                        "put it, and what must come before it, into 'after' blocks, or run them in two statements")
RESTORE_UNREADABLE = _message("TFG709", "the checkpoint {path} cannot be read: {reason}")
CHECKPOINT_OTHER = _message("TFG710", "the checkpoint in {path} belongs to a different program: {what}",
                            "--resume-anyway resumes with the parts that still fit, --fresh starts over; or give "
                            "'checkpoint' another folder")
CHECKPOINT_DAMAGED = _message("TFG711", "no checkpoint in {folder} is complete: in {name}, {reason}",
                              "restore the files, or start over with --fresh; nothing was changed")
WRITE_NOT_OURS = _message("TFG735", "{name} is in the way of {path}: {reason}",
                          "save to another path, or move the file away")
CHECKPOINT_HELD = _message("TFG736", "another run works in {path}: {holder}",
                           "wait for it, stop it, or give 'checkpoint' another folder")
CHECKPOINT_NOT_OURS = _message("TFG749", "{path} is named like a checkpoint, but has no complete tfdsl manifest",
                               "move it away, or give 'checkpoint' another folder; nothing was changed")
CHECKPOINT_MACHINE = _message("TFG737", "the checkpoint in {path} cannot be resumed exactly: {what}",
                              "--resume-anyway resumes anyway, --fresh starts over")

LOG_SHARED = _message("TFG725", "two sessions of this run log to {folder}, and the steps of each begin at 0",
                      "give each its own folder, such as: log to \"tf_logs/second-{{now}}\"", "warning")
CLUSTER_SILENT = _message("TFG740", "{task} at {address} does not answer: {reason}",
                          "check that it runs: tfdsl server --config FILE.yaml --job {job} --task {number}; "
                          "--timeout waits longer than {seconds:second}")
CALL_SLOW = _message("TFG741", "this took longer than {seconds:second}, though all servers of the cluster answer",
                     "allow a call more time with --timeout")
CLUSTER_SHARED = _message("TFG743", "{tasks} was lost, and other runs may share the variables of this session",
                          "they cannot be restored, because the session does not initialise them: run it again when "
                          "the servers are back")
VARIABLE_GONE = _message("TFG744", "'{name}' has no value: neither this session nor another run has initialised it",
                         "first run a session that initialises it, or write 'init {name}'")
VARIABLE_CLEARED = _message("TFG748", "{name} has lost its value: another process has cleared it on the cluster",
                            "tfdsl reset does so, and a program that begins with variables of the same names: give "
                            "each program its own 'container'")
WORKER_ENDED = _message("TFG745", "the process of worker {number} has ended with exit code {code}",
                        "see its output above")
WORKER_SILENT = _message("TFG747", "worker {number} has taken no step for {seconds:second}",
                         "check that its process and its server still run; --timeout waits longer")
CLUSTER_LOST = _message("TFG746", "{tasks} of the cluster was lost",
                        "open a new session when it is back")
CLUSTER_UNSTEADY = _message("TFG742", "{tasks} was lost {times:time} at one place of the program",
                            "check the last output of the server; it may be out of memory")

NO_MEMORY = _message("TFG738", "there is not enough memory for this run",
                     "use smaller batches, or stream=true for data; a training with checkpoints resumes from the "
                     "last one")

KEPT_RANGE = _message("TFG773", "{name} is {dtype}, which has no {value}",
                      "begin with a larger dtype: {name} = cast(0, int64)")

SESSION_CLOSED = _message("TFG750", "this session is closed", "run it inside of: with program.session() as session:")
SESSION_UNOPENED = _message("TFG774", "this session is not open yet", "open it: with program.session() as session:")
SESSION_COPIED = _message("TFG751", "an open session can neither be copied nor pickled: it belongs to its process",
                          "open another one: program.session(variables=...) starts with the given values")

RUNS_NOTHING = _message("TFG752", "the steps of this training run nothing: {why}",
                        "declare an optimizer in the program, or name operations: session.train(run=...)")
TRAINING_ENDED = _message("TFG753", "this training takes no more steps: {why}", "begin another one: session.train(...)")
FEEDS_ENDED = _message("TFG754", "the feeds end after {taken:step} of {total}",
                       "leave 'steps' out to train as long as there are feeds")
LOGS_NOWHERE = _message("TFG755", "this training has no folder for its logs",
                        'give it one: session.train(..., log_to="logs")')

FUNCTION_RAISED = _message("TFG730", "{function} raised {error}: {reason}")
FUNCTION_RESULT = _message("TFG731", "{function} returned {value}, not a tensor",
                           "return a tensor, a tuple of tensors, or an operation")
FUNCTION_VARIABLE = _message("TFG732", "{function} creates the variable '{name}', which the program does not know",
                             "declare it in the program, and give it to {function} as an argument")
FUNCTION_MISSING = _message("TFG733", "this program calls the Python function {function}, but no such function was "
                            "given",
                            "pass it with ops={{\"{function}\": ...}}")
