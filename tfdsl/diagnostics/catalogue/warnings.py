"""9xx: Warnings."""

from ..message import message as _message

UNUSED = _message("TFG901", "'{name}' is never used", "use it, remove it, or call it _{name}", "warning")
UNUSED_VALUE = _message("TFG902", "this value is never used", "give it a name and use it, or remove it", "warning")
OPTIMIZER_POSITION = _message("TFG904", "{value} is '{name}' of {optimizer}, not its learning rate",
                              "write {optimizer}(learning_rate={value}), or {name}={value} if that is meant", "warning")
AFTER_NEVER = _message("TFG950", "'after every {count}' never runs: {why}", severity="warning")
READ_AGAIN = _message("TFG960", "method=\"{method}\" reads '{name}' again, which has been written since",
                      "take the gradient on a line above the one that writes, or use method=\"reverse\", which uses "
                      "the value read before", "warning")
LIKE_TRAINING = _message("TFG955", "{layer} of line {line} {does} in {what} too: it does so in every execution",
                         severity="warning")
ORDER_OPEN = _message("TFG915", "only the order of the lines decides when '{name}' is {what} here",
                      "put the second one into 'after {before}:'{or_two}", "warning")
ORDER_NAMED = _message("TFG916", "this statement writes '{name}' and also names it: it reads the value after all its "
                       "writes",
                       "to be clear, or for the value before, write two statements", "warning")
ORDER_EXPORTED = _message("TFG917", "nothing decides when '{name}' is {what} in this model: the order is arbitrary",
                          "put the second one into an 'after', or export two models", "warning")
WARNINGS_MANY = _message("TFG905", "there are more than {limit:warning}; the rest are not shown",
                         "fix these first, or raise the limit with --max-errors", "warning")
FED_TO_ALL = _message("TFG923", "{what} is fed {names} too, so its layers work as in training", "", "warning")
BY_HAND = _message("TFG924", "{what} changes {names} by hand, with 'training' false",
                   "write: with training = true, or training = false if that is meant; it is true automatically only "
                   "where an 'optimize' takes a step", "warning")
UNTAKEN = _message("TFG925", "nothing takes the step of {which}",
                   "write a 'train' whose body has no 'run', or run the step by a name (optimize ... as step), or "
                   "remove it", "warning")
STEP_TWICE = _message("TFG926", "this takes a step in addition to the one at the end of every iteration",
                      severity="warning")
SYNTHETIC = _message("TFG903", "{name} could not be loaded, so a synthetic set of the same shape replaces it",
                     "results are not those of the real data", "warning")


FED_SCALE = _message("TFG940", "'{name}' is fed {data}, {difference}",
                     "declare {learning} with | fitted({learner}) in place of its transforms; or put the rows of both "
                     "into one data: after split, .train and .test are transformed alike", "warning")
FED_UNSCALED = _message("TFG918", "'{name}' is fed these numbers as they are, but {data} with scaled columns",
                        "write such rows into a file, and declare it with | fitted({data}), which scales them as "
                        "{data} is scaled", "warning")
BATCH_UNUSED = _message("TFG941", "the steps of this training do not use its batches",
                        "write in the body: feed {name} = {batch}.features; or train without data: train 100 steps:",
                        "warning")
VARIABLE_REBOUND = _message("TFG947", "'{name}' is now the result of this line, and no longer the variable, which does "
                            "not change",
                            "to change it, write: new_{name} = {call}, and run that in a session; if the result is "
                            "meant, give it another name", "warning")
ROUNDED = _message("TFG942", "{dtype} cannot represent {value}, which becomes {rounded}",
                   "write the number that you need, or use float64 or, for a whole number, int64", "warning")
DATA_ROUNDED = _message("TFG943", "column {column} of {data} has whole numbers that float32 cannot represent: row "
                        "{row} is {value}, which becomes {rounded}",
                        "leave the column out if it only names the rows; or scale it by standardize or minmax, which "
                        "compute in float64", "warning")
DATA_EMPTIED = _message("TFG945", "{transform} makes column {column} of {data} 0: it is {value} in all training rows",
                        "leave the column out; for a bias, add_bias makes a column of ones that stays", "warning")
TEST_TRAINED = _message("TFG946", "{data}.test is used, but line {line} has trained on {rows}", severity="warning")
MODE_UNFED = _message("TFG969", "nothing feeds '{name}', which is {value}, so {does}", severity="warning")
ROWS_APART = _message("TFG968", "the rows of {value} for '{name}' are not those of {other_value} for '{other}'",
                      "{way}; or give '{name}' its own size if they need not belong together", "warning")
FEED_ROUNDED = _message("TFG944", "'{name}' is {dtype}, which cannot represent {value}: it becomes {rounded}",
                        "declare it float64, or int64 if all numbers are whole, and cast it where it is used",
                        "warning")
CHECKPOINT_SKIPPED = _message("TFG910", "{path} is damaged: {reason}; the checkpoint of step {step} is used instead",
                              "remove the damaged one if nobody needs it", "warning")
CHECKPOINT_GONE = _message("TFG911", "{path} was deleted; it was created again, with one checkpoint",
                           severity="warning")
LOG_GONE = _message("TFG912", "the event file in {path} was deleted; logging continues in a new one",
                    "", "warning")
RECORD_FAILED = _message("TFG913", "the record of this run cannot be written to {path}: {reason}",
                         "the results of the run are not affected", "warning")
SERVER_OPEN = _message("TFG914", "TensorFlow listens on {ports} on every network of this machine, whatever the "
                       "addresses in the file, without a password or encryption",
                       "anyone who reaches it can run code as this user: use a firewall, a private network or a VPN",
                       "warning")
PAIRED = _message("TFG927", "{op} pairs each row of {tall} with every row of {short}: {a} and {b} give {shape}",
                  "write {one} for {short} to pair row with row, or {every} if every pair is meant", "warning")
EMPTIED = _message("TFG997", "{op} of {a} and {b} is empty: a size of 1 becomes the 0 beside it",
                   "to put one after the other, write concat([{first}, {second}], axis={axis})", "warning")
AXIS_FIRST = _message("TFG928", "{op} works along axis 0 of {type} if no axis is given",
                      "write axis=-1 for the last axis, such as the class of each row, or axis=0 if that is meant",
                      "warning")
KEEP_PROB = _message("TFG929", "{value} is 'keep_prob' of dropout, the fraction that it keeps",
                     "write rate={value} to drop that fraction, or keep_prob={value} to keep it; nn.dropout(x, "
                     "rate=...) drops in training only", "warning")
THROUGH_TWICE = _message("TFG930", "{op} applies {applies} itself, but {logits} has been through {first} already",
                         "leave {first} out of its argument (in a layer, activation={first}); apply it only to "
                         "values that are printed or exported", "warning")
ONE_CLASS = _message("TFG931", "{op} works along an axis of size 1 of {type}, so {result}",
                     "give it a column for each class, as in nn.dense(x, 2); one column for two classes is for "
                     "nn.sigmoid_cross_entropy and nn.binary_accuracy", "warning")
NOT_LOGITS = _message("TFG933", "{op} takes logits, but {logits} has been through {first}, so it is never below 0",
                      "leave {first} out of its argument (in a layer, activation={first}): a logit of 0 is a "
                      "probability of 0.5", "warning")
INIT_RESTORED = _message("TFG934", "{what} resets {names} to the initial value, so the restored value is lost",
                         "write it before the restore", "warning")
AFTER_ALIAS = _message("TFG935", "'after' does not order {name}, which is only another name for a node made before it",
                       "make a node of it in the block: identity({value})", "warning")
BRANCH_OUTSIDE = _message("TFG936", "{name} changes its variable {what}, because it is made before",
                          "make it in {inside}, and use it there", "warning")
NEVER_RUNS = _message("TFG937", "this {op} never runs: no result of the '{word}' needs it",
                      "use its value, or make a result in an 'after' of it; or remove it", "warning")
LOG_AGAIN = _message("TFG938", "the steps of {what} begin at 0 again, in the same log as those of {first}",
                     "log to another folder before it, such as: log to \"tf_logs/second-{{now}}\"", "warning")
TAG_AGAIN = _message("TFG939", "there is already a summary with the tag \"{tag}\", so this one is shown as "
                     "\"{tag}_1\"",
                     "give it a different tag, or put it into a scope", "warning")
SWAPPED = _message("TFG932", "the labels of {op} depend on variables, and its logits do not",
                   "swap the two if they are in the wrong order: {call}", "warning")
RUN_AGAIN = _message("TFG961", "this {what} runs {name} again: line {line} runs it too", severity="warning")
UNRUN = _message("TFG962", "nothing runs {name}, so it never changes {variables}", severity="warning")
TRAINED_LOST = _message("TFG963", "this '{what}' overwrites {trains}", severity="warning")
WHOLE_UNTRAINED = _message("TFG970", "no optimizer trains '{name}': it is {type}, and whole numbers have no gradient",
                           "to train it, make its initial value a float, as in 1.0; if it should stay as it is, end "
                           "the line with: , trainable=false", "warning")
SHOWN_UNTRAINED = _message("TFG971", "this uses initial values of {names}: what {where} trains stays in that session",
                           severity="warning")
SAVED_UNTRAINED = _message("TFG972", "this '{what}' writes initial values: {why}",
                           "write it below the training; or in a separate session, if the initial values are meant",
                           "warning")
TRAINED_BY_BOTH = _message("TFG964", "this 'optimize' trains {names}, which the 'optimize' of line {line} trains for "
                           "another loss", severity="warning")
FEED_UNNEEDED = _message("TFG965", "{what} does not depend on '{name}', so feeding it changes nothing",
                         "leave {name} out, or name something that is made from it", "warning")
EVALUATE_SAME = _message(
    "TFG995",
    "nothing in this evaluate is fed its batches, so each of them gives the same",
    "feed a field of the batch, as in: as {batch} with X = {batch}.features; or leave out 'in batches of'",
    "warning",
)
ZEROS_STAY = _message(
    "TFG957",
    "{names} {stay} 0 in this training: every gradient to {it} is multiplied by zeros or stopped by a relu",
    "begin with random numbers: = random_normal(stddev=0.1)",
    "warning",
)
EVALUATE_OTHER = _message(
    "TFG956",
    "this evaluate is on {data}, but it is fed {field} and nothing of the batch, so its rows are not those of {data}",
    "{way}",
    "warning",
)
LISTED_NONE = _message(
    "TFG948", "no variable there is called '{name}', so the list is empty", "write the name of one of them", "warning"
)
EVALUATE_DRAWS = _message(
    "TFG998",
    "{name} draws other numbers for each batch of this evaluate",
    "draw a row for each row of the batch, as in random_normal(shape(X)); or leave out 'in batches of'",
    "warning",
)
EVALUATE_CHANGES = _message(
    "TFG996",
    "this evaluate runs {op} once for each batch",
    "evaluate values that change no variable; or leave out 'in batches of'",
    "warning",
)
TRAINED_BELOW = _message(
    "TFG994",
    "'{name}' is fed, but the step also trains {variables}, which would make it",
    "train only what is made of it: optimize ... wrt VARIABLES",
    "warning",
)
BETTER_WORSE = _message("TFG949", "this '{what}' takes a {direction} {text} as the better one, {why}",
                        severity="warning")
BETTER_BATCH = _message(
    "TFG958", "this '{what}' compares the {text} of one batch, which has other rows each time", severity="warning"
)
IDLE = _message("TFG967", "nothing waits for this {op}, so it never runs", severity="warning")
RATE = _message("TFG966", "{value} is the 'rate' of dropout, the fraction that it drops", severity="warning")
NOT_BINARY = _message("TFG973", "line {line} uses '{name}' as labels of 0 and 1, but {what} {range}",
                      severity="warning")
NOT_CLASSES = _message("TFG990", "line {line} uses '{name}' as class numbers from 0 to {last}, but {what} {range}",
                       severity="warning")
SHARE_ALWAYS = _message("TFG974", "{first} returns numbers from 0 to 1, so this is always {outcome}",
                        severity="warning")
SHARE_EQUALS = _message("TFG975", "{first} returns numbers from 0 to 1, which almost never equal {other}",
                        severity="warning")
ROWS_FOR_CLASSES = _message("TFG976", "{op} along axis 0 finds a row for each column, but {other} has a value for each "
                            "row", severity="warning")
LOGITS_CUT = _message("TFG977", "{op} takes logits of any sign, but {logits} has been through {first}, so none is "
                      "below 0",
                      "leave {first} out of its argument (in a layer, activation={first})", "warning")
MEAN_WHOLE = _message("TFG978", "{op} of whole numbers drops the fraction of the mean",
                      "write {op}(cast({x}, float32){axis}); or reduce_sum({x}{axis}) // "
                      "reduce_sum(ones_like({x}){axis}) to drop it on purpose", "warning")
AGAIN_AFTER = _message("TFG979", "this {what} {does}, after the training of line {line}", severity="warning")
NO_STEP_DOWN = _message("TFG980", "{what}, so this {subject} {does}", severity="warning")
QUOTIENT_ZERO = _message("TFG981", "{text} is 0: // drops the fraction",
                         "write {left} / {right} for the fraction, or 0 if that is meant", "warning")
SAME_LOSS = _message("TFG982", "this 'optimize' trains {names} for the same loss as line {line}, so each iteration "
                     "takes two steps", severity="warning")
LOSS_UNUSED = _message("TFG983", "no {ops} minimises this loss: each has another one", severity="warning")
NEVER_TRAINED = _message("TFG984", "nothing trains {names}, on which the loss of this 'optimize' depends",
                         severity="warning")
GRADIENT_ENDS = _message("TFG985", "no gradient goes through {op}, so nothing trains {names}",
                       "leave {op} out of the loss to train {them}; if {they} should stay at the initial value, {way}",
                       "warning")
LIST_ADDED = _message("TFG986", "in a 'while', {name} is a tensor, so '+' adds elements to its elements and does not "
                      "append", severity="warning")
PRINT_CALLED = _message("TFG987", "'print' is not a function: this prints a list",
                        "write: print {items}; or print [{items}] if a list is meant", "warning")
NAN_WRITTEN = _message("TFG988", "the variable {name} has become NaN (not a number), and this statement writes it to "
                       "a file",
                       "look for log(0), 0 / 0 or the square root of a negative number in what is assigned to it; if "
                       "NaN is meant, write: set {name} = float(\"nan\")", "warning")
COUNTER_STILL = _message("TFG992", "nothing changes '{name}', so what the optimizer takes from it stays the same",
                         severity="warning")
FRACTION_BOUND = _message("TFG993", "'{name}' is a fraction from 0 to 1, so '{condition}' {holds} holds",
                          severity="warning")
REUSES_NOTHING = _message("TFG991", "this scope says 'reuse', but makes new variables: {names}", severity="warning")
RESTORE_LOSES = _message("TFG952", "if there is no such file, this restore gives all variables their initial values, "
                         "and what line {line} has trained is lost",
                         "leave 'if exists' out, so that a missing file is an error; or write the restore before the "
                         "training", "warning")
RESTORE_MISSES = _message("TFG989", "no 'save' of this program writes \"{path}\", but line {line} writes \"{other}\"",
                          "restore from \"{other}\"; or leave 'if exists' out, if another program writes \"{path}\"",
                          "warning")
