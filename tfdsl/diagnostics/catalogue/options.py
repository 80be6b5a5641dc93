"""8xx: Options and limits."""

from ..message import message as _message

UNROLLED = _message("TFG802", "this repeats graph code more than {limit:time}", "raise the limit with --max-unroll")
PARAM_UNKNOWN = _message("TFG803", "there is no param '{name}'{given}")
PARAM_TYPE = _message("TFG804", "param '{name}' is {wanted}, but {given} {value}")
DATA_UNKNOWN = _message("TFG805", "there is no data '{name}'{given}")
CONFIG_KEY = _message("TFG806", "{path} has the unknown key '{name}'", "known are {known}")
CONFIG_FORM = _message("TFG807", "{path} cannot be read: {reason}")
FILE_MISSING = _message("TFG808", "{path} cannot be read: {reason}")
SESSION_UNKNOWN = _message("TFG809", "there is no session '{name}'")
NO_SESSIONS = _message("TFG810", "{path} has no session, so there is nothing to run",
                       "add one, or use: tfdsl eval FILE EXPR")
NO_CHECKPOINTS = _message("TFG815", "{path} has no training with checkpoints",
                          "add to a 'train': checkpoint every 100 steps in \"checkpoints\"")
VALUE_LARGE = _message("TFG811", "this makes a value of {size}; at most {limit} are built while compiling",
                       "ops such as zeros, linspace and tile make it when the graph runs; or raise the limit with "
                       "--max-constant")
WORK_LARGE = _message("TFG812", "this program takes too much work to compile",
                      "loops, calls and lists are expanded while compiling: shorten them, or raise the limit with "
                      "--max-unroll {more}")
TIME_LONG = _message("TFG840", "checking this program takes more than {seconds:second} of processor time; "
                     "it got as far as here",
                     "shorten it, or raise the limit with --max-seconds")
FILE_LARGE = _message("TFG841", "{path} has more than {limit:byte}",
                      "divide it into several files, or raise the limit with --max-file-size")
ERRORS_MANY = _message("TFG842", "there are more than {limit:error}; the check stops here",
                       "fix these first, or raise the limit with --max-errors")
PARAM_TWICE = _message("TFG813", "param '{name}' is given by keyword and in params", "give it once")
PATH_OUTSIDE = _message("TFG820", "'{path}' is {target}, outside the folders that this program can access",
                        "it can access its own folder and the working folder; allow another one with --allow-path "
                        "{folder}, or allow_paths in Python")
PATH_KIND = _message("TFG821", "'{path}' is {what}, which a program cannot open",
                     "only regular files are opened; copy its content to one, and name that")
PATH_FORM = _message("TFG822", "'{path}' cannot be a path: {reason}",
                     "write names with / between them, such as \"data/houses.csv\"")
ALLOWED_MISSING = _message("TFG823", "{path} cannot be allowed: there is no such folder",
                           "make it first, or name the folder above it")
FUNCTION_GIVEN = _message("TFG830", "ops has '{name}', which cannot be an op: {reason}")
FUNCTION_CLASH = _message("TFG831", "ops has '{name}', which is already in the language",
                          "give it another name")
TENSOR_LARGE = _message("TFG843", "{op} makes {type}, more than {limit:element}",
                        "make it smaller, or raise the limit with --max-tensor")
CLUSTER_FORM = _message("TFG850", "{path} describes no cluster: {reason}",
                        "write the addresses of each job: cluster: {{ps: [\"10.0.0.1:2222\"], "
                        "worker: [\"10.0.0.2:2222\", \"10.0.0.3:2222\"]}}")
CLUSTER_JOB_MISSING = _message("TFG851", "the cluster of {path} has no job '{job}'",
                               "it needs ps, which keeps the variables, and worker, which computes")
CLUSTER_ADDRESS = _message("TFG852", "the cluster of {path} has {address!r} for {job} {task}: {reason}",
                           "write it as \"10.0.0.1:2222\", \"name.of.machine:2222\" or \"[::1]:2222\"")
CLUSTER_TWICE = _message("TFG853", "the cluster of {path} has the address {address} twice, for {first} and {second}",
                         "each task is a separate process and needs its own port")
CLUSTER_MISSING = _message("TFG854", "{path} describes no cluster: it has no key 'cluster'",
                           "write the addresses of each job: cluster: {{ps: [\"10.0.0.1:2222\"], "
                           "worker: [\"10.0.0.2:2222\", \"10.0.0.3:2222\"]}}")
SERVER_PORT = _message("TFG860", "{job} {task} cannot listen on port {port}: {reason}",
                       "end the process that uses the port, or give this task another one in {path}")
SERVER_ENDED = _message("TFG861", "{job} {task} {reason}, and does not listen yet",
                        "its output is above; tfdsl server starts a single server")
BOARD_PORT = _message("TFG866", "TensorBoard cannot listen at {host}:{port}: {reason}",
                      "end the program that uses the port, or choose another one with --port")
EACH_OVERWRITES = _message("TFG867", "runs of --each that differ in {params} all write {path}, {effect}",
                           "put {what} into the path, as in {whole}", severity="warning")
RUN_UNKNOWN = _message("TFG870", "there is no record of a run '{word}'")
RUN_SEVERAL = _message("TFG871", "'{word}' can be the record {ids}", "write more of the id")
RUN_KEY = _message("TFG872", "no record has the key '{key}'", "the keys are {known}")
RUN_DAMAGED = _message("TFG873", "the record {path} cannot be read: {reason}",
                       "remove its folder, or restore it from a copy")
RUN_NOT_REPEATED = _message("TFG874", "the run {id} cannot be repeated: {reason}")
RUN_DATA = _message("TFG875", "the run {id} cannot be repeated: its data {path} {reason}",
                    "restore the file from a copy; tfdsl runs show {id} has its size and digest")
PACKAGE_MISSING = _message("TFG895", "this needs the package {package}, which is not installed",
                           "install what runs of programs need: pip install {packages}")
EXPORT_WRITES = _message("TFG896", "'{name}' changes the variable '{variable}', which would be a constant",
                         "export a SavedModel, or values that change no variable")
EXPORT_NONE = _message("TFG832", "the program does not say what to export, as it has no 'export' and no 'signature'",
                       "name values of the graph half with --values, from: {some}")
EXPORT_ALL = _message("TFG833", "the program exports several things: {names}",
                      "choose one: {ways}")
EXPORT_VALUE = _message("TFG834", "there is no tensor '{name}' in the graph half", "name one of: {some}")
EXPORT_ONE = _message("TFG835", "a model has one graph, but {first} are in several", "export the values of one graph")
EXPORT_UNTRAINED = _message("TFG836", "the program has no step to export", "leave out --train, or write in the graph "
                            "half: optimize LOSS with adam(learning_rate=0.01)")
EXPORT_STEP = _message("TFG837", "the signature of this step has no loss to return",
                       "declare it, with a value to return: signature \"train\": {step}, VALUE with X")
EXPORT_SIGNATURE = _message("TFG838", "the model does not have {which} without steps")
ONNX_LACKS = _message("TFG839", "ONNX has no op for {op}, which TensorFlow executes for {what}",
                      "export a SavedModel or a .pb file; or compute this outside the model, and feed it")
ONNX_FAILED = _message("TFG862", "{what} cannot be converted to ONNX: {reason}",
                       "export a SavedModel or a .pb file; or compute this outside the model, and feed it")
ONNX_ENDED = _message("TFG863", "the conversion to ONNX ended with {how}",
                      "export a SavedModel or a .pb file")
STUDY_DAMAGED = _message("TFG864", "the journal of the study in {path} is damaged: {reason}",
                         "begin another study with --study DIR; the records of its trials are in its folder trials/")
STUDY_DIFFERS = _message("TFG876", "the study in {path} was begun with another plan: {what}",
                         "begin another one with --study DIR, or remove that folder")
STUDY_BUSY = _message("TFG877", "the study in {path} is in use by {holder}", "wait for its end, or stop it")
STUDY_VALUE = _message("TFG878", "the program has no value {name}", "{known}")
STUDY_UNWRITTEN = _message("TFG865", "trial {number} could not write a file: {reason}",
                           "make it possible, and give the same command again: it goes on with this trial")
STUDY_FAILED = _message("TFG879", "every trial has failed; the last one: {reason}")
PREDICT_NOTHING = _message("TFG880", "the program does not say what to predict, as it exports nothing made of data",
                           "{way}")
PREDICT_SEVERAL = _message("TFG881", "the program exports several things that are made of data: {names}",
                           "say which: --values {one}")
PREDICT_UNFED = _message("TFG882", "the export takes {names} as an input, which no data gives",
                         "declare it with a default, as in placeholder {declared} = ...; or name values that do not "
                         "need it with --values, from: {some}")
PREDICT_NAME = _message("TFG883", "there is no value '{name}' in the graph half", "name one of: {some}")
PREDICT_VALUE = _message("TFG884", "{name} cannot be predicted: it is not a tensor that depends on data",
                         "name one of: {some}")
PREDICT_FED = _message("TFG885", "'{name}' needs rows of one data set, but the program feeds it {ways}")
PREDICT_MIXED = _message("TFG886", "'{name}' cannot be predicted in batches: {why}",
                         "name a value with a row for each row of the data, from: {some}")
PREDICT_LEARNED = _message("TFG887", "{path} does not say what its data has learned, so the rows are transformed as "
                           "those of {data} in the program",
                           "copy the file beside the checkpoint; or restore it in a session of the program, and "
                           "save it, to have it", severity="warning")
PREDICT_DATA = _message("TFG869", "{name} is computed from {field}, the data that {file} has now: if they are others "
                        "than in the training, so is the result",
                        "keep the file as it was; or put what is needed of it into a variable, which is saved",
                        severity="warning")
PREDICT_SCALED = _message("TFG919", "{name} is written in the units of {transform}, as the model was trained with the "
                          "scaled column {column}", "to predict what the file has, write in the graph half: {way}",
                          severity="warning")
PREDICT_CLASSES = _message("TFG920", "{name} is written as the number of a class, from 0, and the column {column} has "
                           "{some}", "to predict what the file has, write in the graph half: {way}",
                           severity="warning")
PREDICT_ROWS = _message("TFG888", "the files have different numbers of rows: {rows}")
PREDICT_TWICE = _message("TFG891", "{name} is a value and a column that is set aside",
                         "leave the column out of the file if its rows can be identified without it; or give the value "
                         "another name in the program")
PREDICT_KEYS = _message("TFG893", "the rows of {first} and {other} do not belong together: {name} is {one} in row "
                        "{row} of {first}, and {two} in that of {other}",
                        "give files whose rows are in the same order; or leave {name} out of one of them")
PREDICT_LACKS = _message("TFG894", "{name} needs {data}.{field}, and {file} {lacks}",
                         "{way}")
PREDICT_COLUMN = _message("TFG889", "there is no column {name} to write", "the columns are {known}")
BUG = _message("TFG899", "this is a bug in tfdsl, not in your program: {reason}",
               "please report it, with the program if you can")
