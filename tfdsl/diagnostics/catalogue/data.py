"""6xx: Data."""

from ..message import message as _message

DATA_ARGUMENT = _message("TFG601", "{name} needs {argument} to be {wanted}, not {value}", "{way}")
DATA_FILE = _message("TFG603", "cannot read {path}: {reason}",
                     "{near}paths are relative to the folder {folder}")
DATA_FORMAT = _message("TFG604", "the name of {path} does not show its format",
                       "give it a name ending in {suffixes}")
CSV_NOT_UTF8 = _message("TFG605", "{path} is not text in UTF-8", "save it again as UTF-8")
CSV_MALFORMED = _message("TFG606", "this line is not proper CSV: {reason}",
                         "a cell with a separator, a quote or a line break in it needs double quotes")
CSV_EMPTY = _message("TFG607", "{path} has no rows of data",
                     "its first line must name the columns, and a line for each row must follow")
CSV_NO_HEADER = _message("TFG608", "the first line has numbers instead of column names", "{way}")
CSV_NO_NAME = _message("TFG609", "column {number} has no name",
                       "name it in the first line, or remove the column (pandas: to_csv(..., index=False))")
COLUMN_TWICE = _message("TFG610", "two columns are named {column}", "rename one of them")
CSV_RAGGED = _message("TFG611", "this row has {found:cell}, but the first line names {wanted:column}", "{way}")
CSV_CELL = _message("TFG612", "column {column} has {cell}, which is not of the dtype {dtype}",
                    "correct the cell; or name it in missing=[...], if it means a missing value; or leave the column "
                    "out of columns={{...}}, so that it becomes text")
CSV_SEPARATOR = _message("TFG634", "the cells of {path} are separated by {found}, not by {separator}",
                         "{way}")
CSV_INTEGER = _message("TFG635", "column {column} has {cell}, a whole number outside the range of int64",
                       "{way}, or correct the cell")
CSV_NO_COLUMN = _message("TFG613", "there is no column {column}: the columns are {columns}", "{way}")
CSV_COLUMN_TYPO = _message("TFG614", "there is no column {column}", "did you mean {close}?")
ONLY_TARGET = _message("TFG615", "the only column is the target {column}",
                       "add at least one column for the features")
NPZ_BAD = _message("TFG616", "cannot read {path} as an .npz file: {reason}",
                   "write it with numpy.savez(path, features=..., target=...)")
NPZ_NAMES = _message("TFG617", "{path} has no arrays",
                     "write it with numpy.savez(path, features=..., target=...)")
NPZ_DAMAGED = _message("TFG618", "the array {array} in {path} is damaged: it is not what its header says",
                       "write the file again with numpy.savez")
NPZ_ROWS = _message("TFG868", "{array} has {rows:row}, but {first} has {others}: they are not columns of one data set",
                    "save those that belong together in a file of their own; {way}")
STORED_MISSING = _message("TFG696", "{path} has no array {name}", "{hint}")
STORED_KIND = _message("TFG697", "{what} is {kind}, which cannot be a tensor",
                       "save it as an array of numbers, bools, strings or bytes; pickled objects are never read")
STORED_LARGE = _message("TFG698", "{what} has {size:byte}; a constant of a graph can have {most}",
                        "make it a variable, and give it its values with 'restore'")
STORED_CHANGED = _message("TFG699", "{path} has changed since the program was checked", "run the program again")
ARRAY_KIND = _message("TFG619", "{array} contains {dtype}, not real numbers",
                      "convert it before, for example with {array}.astype(float)")
ARRAY_SHAPE = _message("TFG620", "{array} has the shape {shape}, but it must be {wanted}")
DATA_TOO_LARGE = _message("TFG621", "{what} is too large: {rows:row} of {columns:column}",
                          "the limits are {max_numbers:number} and {max_columns:column}")
DATA_VALUE = _message("TFG622", "row {row} of {column} is {value}, not a finite number that fits {dtype}",
                      "rows count from 1, after the transforms; fix or remove that row{way}")
DATA_AFTER_SPLIT = _message("TFG623", "{name} cannot follow split, which has already divided the rows",
                            "{way}")
DATA_REPLACEMENT = _message("TFG624", "cannot replace the data {data} with {found}",
                            "{way}")
CALIFORNIA_MISSING = _message("TFG625", "the California housing data could not be loaded: {reason}",
                              "connect to the network once, and scikit-learn keeps the data; or write "
                              "california_housing(offline=\"synthetic\") to train on a synthetic stand-in")
DATA_DISK = _message("TFG631", "cannot keep the rows on disk in {folder}: {reason}",
                     "make room there, or set TMPDIR to a folder with more")
STREAM_WHOLE = _message("TFG632", "{name} is streamed, so {name}.{field} is never in memory as a whole",
                        "leave stream=true out, or declare another data with the rows needed here: ... | take(1000)")
STREAM_BATCHES = _message("TFG633", "{name} is streamed, so {what} on it needs batches",
                          "write: train ... on {name} in batches of 100 as batch")
FILE_FORM = _message("TFG626", "cannot read {path} as {kind}: {reason}", "{remedy}")
COLUMN_KIND = _message("TFG627", "column {column} contains {what}, but data is numbers, bools and text", "{way}")
UNKNOWN_COLUMN = _message("TFG628", "there is no column {column}: the columns are {columns}", "{way}")
COLUMN_CELL = _message("TFG629", "row {row} of column {column} is {cell}, which is not a finite number",
                        "rows count from 1; correct the cell, or remove its row or column")
COLUMN_GAP = _message("TFG637", "row {row} of column {column} has no value, but {what} needs one in every row",
                      "{way}")
NO_FIT_COLUMN = _message("TFG638", "{name} finds no column: it takes {what}", "{way}")
NOT_FIT_COLUMN = _message("TFG639", "{name} takes {what}, but {column} is {kind}", "{way}")
CSV_COLUMNS_DIFFER = _message("TFG640", "{other} has other columns than {first}: {found} in place of {column}",
                              "files of one pattern have the same columns in the same order{way}")
DATA_NO_MATCH = _message("TFG641", "no file matches {path} in {folder}", "{way}")
DATA_FOLDER = _message("TFG676", "{path} is a folder, not a file", "{way}")
TEXT_COLUMN = _message("TFG642", "{data}.features has the column {column}, which is text: {cell} is not a number",
                       "{ways}")
NEARLY_NUMBERS = _message("TFG643", "column {column} of {data} is text because of the cell {cell}, although "
                          "more than nine in ten of its cells are numbers", "{way}", severity="warning")
NUMBERS_AS_TEXT = _message("TFG897", "{name} makes a category of each number in the column {column}, such as {cell}",
                           "{way}", severity="warning")
ALIKE_CATEGORIES = _message("TFG857", "{name} makes two categories of {one} and {other} in the column {column}, which "
                            "differ only in capitals or spaces{more}",
                            "if they mean the same, write them alike in the file{way}", severity="warning")
FITTED_AGAIN = _message("TFG858", "{name} changes {columns} before fitted({data}), whose {again} does so again",
                        "leave {name} out: fitted({data}) does all that {data} does, with what {data} has learned",
                        severity="warning")
SCALED_TWICE = _message("TFG921", "{name} scales {columns}, which {first} has scaled before",
                        "{way}", severity="warning")
SCALED_LATE = _message("TFG859", "{name} comes after {windows} and does not scale the windows: {columns} in them is as "
                       "before",
                       "put {name} before {windows}, which then takes scaled rows", severity="warning")
NO_FEATURES = _message("TFG644", "{data} has no columns for .features", "{way}")
NO_COLUMNS_LEFT = _message("TFG646", "{name} leaves no columns")
WHERE_LEARNED = _message("TFG647", "where looks at {column}, which a transform changes only after the rows are chosen",
                         "rows are chosen before transforms learn from them, and before fitted: put where before "
                         "the transform that changes {column}, and compare with the values of the file")
WHERE_NONE = _message("TFG648", "the condition holds for none of {rows:row}{part}", "{ways}")
WHERE_MISSING = _message("TFG649", "where leaves out the rows in which {column} is missing",
                         "to leave them out without this warning, write: where({test} and ...); to keep them, "
                         "write before it: | {fill}, or with another value", severity="warning")
CONDITION_TYPES = _message("TFG650", "'{operator}' does not take {kinds}",
                           "compare numbers with numbers and text with text; and, or and not take conditions{ways}")
CONDITION_FORM = _message("TFG651", "a condition on columns cannot have {part}", "{way}")
COLUMN_NAME = _message("TFG652", "{name} takes the names of columns in quotes, not {value}")
DICTIONARY = _message("TFG653", "a dictionary has no meaning here",
                      "it gives the dtypes of columns: csv(..., columns={{\"age\": float32}})")
IMAGE_SIZE = _message("TFG654", "{other} has {found[0]} x {found[1]} pixels, and {first} has {size[0]} x {size[1]}",
                      "write size=[{size[0]}, {size[1]}] to scale all pictures")
TOKENS_CUT = _message("TFG655", "tokens cuts {cut:text} of the training rows after {size:word}",
                      "a larger size keeps more of them", severity="warning")
DATE_CELL = _message("TFG656", "column {column} has {cell}, which is not a date", "{way}")
DATE_OFFSET = _message("TFG892", "column {column} has {cell}, a time with an offset from UTC", "{way}")
FITTED_DATA = _message("TFG657", "fitted takes a data set that is declared before it, not {value}",
                       "write: | fitted(train), with the name of the data whose transforms have learned; or | "
                       "fitted(\"model.ckpt\", \"train\"), with the path of a checkpoint")
FITTED_COLUMNS = _message("TFG658", "the columns of {file} are not those that {data} has learned from: {what}", "{way}")
FITTED_DTYPE = _message("TFG659", "the dtypes are not those that {data} has learned from: {what}", "{way}")
FITTED_NAMES = _message("TFG692", "the first line of {file} seems to name the columns, but {data} has learned from a "
                        "file without such a line", "{way}")
FITTED_BOOL = _message("TFG693", "row {row} of column {column} is {cell}, but {data} has learned from true and false",
                       "write true or false, or 1 or 0")
FITTED_CUT = _message("TFG694", "tokens of {data} cuts {cut:text} after {size:word}",
                      "the model has learned with this size: a larger one needs a new training", severity="warning")
SERIES_SHORT = _message("TFG890", "{name} of {data} needs {needed}{part}, but {file} has {rows}",
                        "give more rows: a window has the rows before the one that it is for")
SERIES_GROUPS = _message("TFG689", "{name} leaves out {groups:group}, as a window needs {needed}: {some}",
                         "give more rows of a group: a window has the rows before the one that it is for",
                         severity="warning")
SERIES_BACK = _message("TFG898", "{name} takes the rows in their order, but they are not in the order of {column}: row "
                       "{row} has {earlier} after {later}", "{way}", severity="warning")
SERIES_SAME = _message("TFG855", "{name} takes each row as one that comes after the row before it, but most rows have "
                       "the same {column} as the one before, such as row {row}: {time}", "{way}", severity="warning")
SERIES_GAP = _message("TFG856", "{name} takes the rows as they follow each other, but row {row} comes {step} after the "
                      "one before it, and nearly every other row {usual}: windows go over {gaps:gap} like this",
                      "add the missing rows, in the file or where the data leaves rows out; or number the stretches "
                      "without gaps in a column, and name it in by=...",
                      severity="warning")
UNSEEN_CATEGORY = _message("TFG660", "{column} has categories that {data} has not learned, in {cells:cell}: {some}",
                           "one_hot makes them 0 in all its columns, and categories makes them -1", severity="warning")
LEARNED_FORM = _message("TFG680", "{file} is not what tfdsl wrote: {at} must be {wanted}, not {found}",
                        "save the model again, or take the file from a copy")
LEARNED_MISSING = _message("TFG681", "there is no {file} beside the model {path}", "{way}")
LEARNED_VERSION = _message("TFG682", "{file} has version {version}, and this tfdsl reads version {own}",
                           "update tfdsl, or save the model again with this one")
LEARNED_CHANGED = _message("TFG683", "{file} has changed since tfdsl wrote it",
                           "save the model again, or take the file from a copy")
LEARNED_NAME = _message("TFG684", "{file} has no data set {name}: it has {known}", "{way}")
LEARNED_WHICH = _message("TFG685", "{file} has these data sets: {known}",
                         "name one of them: fitted({path}, {first})")
LEARNED_NOTHING = _message("TFG686", "{data} has learned no {word} of {column}", "{way}")
LEARNED_CALL = _message("TFG687", "{data}.{word} takes the name of a column in quotes, not {value}",
                        "write for example: {data}.{word}(\"age\")")
LEARNED_DIFFERS = _message("TFG688", "{file} has learned other values than {data} of this program: {what} "
                           "{saved} there and {own} here{more}",
                           "rows are transformed as the model has learned with: | fitted({path}, {saved_name})",
                           severity="warning")
LEARNED_INFINITE = _message("TFG691", "what {data} has learned cannot be saved, as a number in it is not finite",
                            "leave out the column with the largest numbers, or divide it first")
LEARNED_LARGE = _message("TFG690", "what the data has learned takes {size} MB as a file, more than {most} MiB",
                         "leave out columns with many categories, or give tokens a smaller vocabulary")
NO_ROWS = _message("TFG665", "no rows are left to learn from")
CONDITION_ARGUMENT = _message("TFG661", "where takes a condition, but '{name} = ...' is an argument with a name",
                              "compare with two equals signs: {name} == {value}")
CONDITION_KIND = _message("TFG662", "where takes a condition on columns, not {kind}", "{way}")
CONDITION_VALUE = _message("TFG663", "the condition cannot be computed: {reason}")
CSV_GAP = _message("TFG664", "column {column} has a missing cell, which {dtype} cannot have",
                   "write float32 in columns={{...}}, or leave the column out of it, and fill the gaps: | "
                   "fill({column}, with=0); or write string, if its cells mean categories: | fill({column}, "
                   "with=\"most_frequent\") | one_hot({column})")
DATA_TOGETHER = _message("TFG666", "{name} does not use {other} beside {first}", "leave {other} or {first} out")
COLUMN_AGAIN = _message("TFG667", "{name} has the column {column} twice", "name it once")
CONDITION_NAME = _message("TFG668", "the condition has {name}, which is neither a column nor a value of the program: "
                          "the columns are {columns}",
                          "a text is in quotes: \"{name}\"{ways}")
LEFT_OUT = _message("TFG669", "{data}.features leaves out {columns}, with more than one number per row, since other "
                    "columns have one",
                    "feed it by its name, as in batch[{first}], or write | aside({first}), if it is meant",
                    severity="warning")
TARGET_AMONG = _message("TFG670", "'{name}' is fed {column}, which is also among the features that '{other}' is fed",
                        "name it as the target of the source: target={column}; or set it aside: | aside({column})",
                        severity="warning")
MANY_CATEGORIES = _message("TFG671", "{name} finds {count:category/categories} in the column {column}, in {rows:row}",
                           "{way}", severity="warning")
COLUMN_NOT_UTF8 = _message("TFG672", "row {row} of column {column} is not text in UTF-8",
                           "rows count from 0; write the file again with text in UTF-8")
CSV_ODD_HEADER = _message("TFG673", "the first line of {path} names a column {name}, so it may be a row of data",
                          "write header=false, if no line names the columns", severity="warning")
CSV_NAMED_AGAIN = _message("TFG679", "the first line of {path} has the names that 'header' gives, and is read as a row",
                           "leave 'header' out: the first line names the columns then", severity="warning")
DIGITS_LOST = _message("TFG677", "column {column} has missing cells or fractions besides {number}, so it has float64 "
                       "numbers, and {number} becomes {rounded}",
                       "if these are names and not quantities, read them as text: {way}", severity="warning")
KEY_DTYPE = _message("TFG678", "{column} is set aside and was text in {data}, but is {dtype} here, so its cells may be "
                     "written otherwise than they stand in the file",
                     "read it as text: {way}", severity="warning")
CLASSES_APART = _message("TFG695", "class {number} is {name} in {data}, and {other_name} in {other}",
                         "each numbers its own folders; number those of {data} as {other} does: | fitted({other})",
                         severity="warning")
SERIES_ORDER = _message("TFG674", "windows needs rows in their order, but {what}", "{way}")
SERIES_SPLIT = _message("TFG675", "{name} after {series} must cut the series first, and keep its order",
                        "put {name} before {series}, as | {name}(..., ordered=true) or with by=... as in {series}")
TARGET_MIXED = _message("TFG645", "{data}.target has numbers and text: {columns}",
                        "make the text numbers with categories({column}), or use the columns by their names")

FED_COLUMNS = _message("TFG636", "'{name}' is fed two data sets whose columns differ: column {number} is {column} in "
                       "{data} and {other} in {first}",
                       "columns are matched by position: use the same order in both, or declare another placeholder "
                       "for {data}")
