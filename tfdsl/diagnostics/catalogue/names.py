"""3xx: Names."""

from ..message import message as _message

UNKNOWN_NAME = _message("TFG301", "there is no name '{name}'")
REBOUND = _message("TFG302", "'{name}' is already bound",
                   "a name is bound once; give this one another name")
AMBIGUOUS = _message("TFG303", "'{name}' could be any of {names}",
                     "write the one you mean, such as {first}")
NO_MEMBER = _message("TFG304", "{value} has no '{name}'")
SHARED_MISSING = _message("TFG305", "there is no shared variable '{path}' to share",
                          "create it first with an initial value: shared {name} = 0.0")
SHARED_DISAGREES = _message("TFG306", "shared '{path}' has {what} {first} where it was created, but {second} here",
                            "to share it, write only: shared {name}; a variable with another {what_else} needs a "
                            "different name or scope")
SHARED_REUSE = _message("TFG307", "'{path}' cannot be created inside 'reuse', which only shares what exists",
                        "create it before, or open the scope without 'reuse'")
OTHER_GRAPH = _message("TFG308", "'{name}' is on {theirs}, but this is {ours}",
                       "a node can only use nodes of its own graph")
IMPORT_FAILED = _message("TFG310", "cannot import '{path}': {reason}",
                         "the path is relative to the file that imports it")
IMPORT_CYCLE = _message("TFG311", "this file imports itself: {chain}",
                        "move the shared code into a third file, and import that from both")
IMPORT_LIBRARY = _message("TFG312", "there is no library '{name}'; there is {known}",
                          "to import a file, write its path in quotes: import \"{name}.tfg\"")
IMPORT_NAME = _message("TFG313", "'{path}' does not give a name for the import",
                       "give it one: import \"{path}\" as layers")
IMPORT_DEEP = _message("TFG314", "more than {limit:file} import each other",
                       "import from fewer files, each of which imports less, or raise the limit with --max-imports")
SCOPE_TAKEN = _message("TFG315", "there is a scope '{name}' here already",
                       "give this call another name; to use the variables of the earlier one: as {name} reuse")
NOT_CALLED = _message("TFG316", "'as {name}' names the scope that a call opens, and {value} opens none",
                      "write it after a call of a function; a node is named in quotes: as \"{name}\"")
REUSE_UNKNOWN = _message("TFG317", "there is no call '{name}' here whose variables could be used again",
                         "name the first call: ... as {name}, and then the others: ... as {name} reuse")
REUSE_DISAGREES = _message("TFG318", "'{name}' cannot be used again: {difference}",
                           "call the same function with the same sizes, or leave 'reuse' out and give the call "
                           "another name")
NODE_TAKEN = _message("TFG319", "there is a node '{name}' already",
                      "give this one another name")
NO_NODE = _message("TFG320", "{value} makes no node of its own that could be called '{name}'",
                   "put the name where the node is made")
NODE_NAME = _message("TFG321", "'{name}' is not a name that a node can have",
                     "write letters, digits and the characters _ . - / in it, first a letter, a digit or a dot")
LISTED_KIND = _message("TFG322", "{function} lists the variables of a scope, and '{text}' is {value}",
                       "write the name of a scope or of a call, such as: {function}(dense), or nothing for all "
                       "variables")
LISTED_NAME = _message("TFG323", "{function} takes the name of the variables as a text, not {value}",
                       "write it in quotes, as in: {function}(dense, \"kernel\")")
SCOPE_EMPTY = _message("TFG324", "{what} needs variables, and the scope {name} has none{fitting}")
VERSION_VALUE = _message("TFG325", "the version of a graph is a whole number from 0 on, not {value}")
VERSION_LATE = _message("TFG326", "the version of a graph comes after something that it should apply to",
                        "write it once, as the first line of the graph")
BOUND_TO_PARAM = _message("TFG309", "the size '{name}' is {value}, which is not a number of rows or columns",
                          "use a whole number, or a different name for the size")
