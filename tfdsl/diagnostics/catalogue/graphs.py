"""0xx: Graphs in files."""

from ..message import message as _message

GRAPH_EMPTY = _message("TFG001", "{path} is empty", "copy it again from where it was made")
GRAPH_FORM = _message("TFG002", "{path} is not a graph written by TensorFlow, or it is damaged: {reason}",
                      "give a GraphDef (.pb, .pbtxt), a MetaGraph (.meta) or a SavedModel")
GRAPH_OTHER = _message("TFG003", "{path} is {what}, not a graph", "{way}")
GRAPH_NODES = _message("TFG004", "the graph in {path} has no nodes")
NODE_TWICE = _message("TFG005", "{path} has more than one node called '{name}'")
NODE_INPUT = _message("TFG006", "the node '{name}' takes '{input}', {reason}",
                      "the file is damaged, or a tool has left out nodes that others need")
NODE_CYCLE = _message("TFG007", "the nodes {names} need each other, and they are not a loop of TensorFlow",
                      "the file is damaged")
NODE_BROKEN = _message("TFG008", "the node '{name}' is not a valid {op}: {reason}",
                       "the file is damaged, or made for another version of TensorFlow; nodes that are not needed can "
                       "be left out with --outputs")
OPS_UNKNOWN = _message("TFG009", "{path} uses ops that TensorFlow does not have: {names}",
                       "they come from a library of custom ops; to lift a part that does not need them, name its "
                       "outputs with --outputs")
OUTPUT_UNKNOWN = _message("TFG010", "the graph in {path} has no tensor '{name}'")
TAGS_UNKNOWN = _message("TFG011", "{path} has no graph with the tags {tags}", "its graphs have the tags {known}")
CHECKPOINT_GIVEN = _message("TFG012", "there is no checkpoint {path}",
                            "give its prefix, such as model.ckpt for the file model.ckpt.index, or its folder")
VERIFY_ENDED = _message("TFG013", "TensorFlow ends the process that compares {path} with its program (signal {signal})",
                        "give the placeholders the sizes that the graph was made for: --shape x=1,224,224,3")
GRAPH_REFUSED = _message("TFG014", "TensorFlow refuses the graph in {path}: {reason}",
                         "the file is damaged, or made for another version of TensorFlow; if only a part of it is "
                         "wrong, lift another part with --outputs")
FUNCTION_BROKEN = _message("TFG015", "the function '{name}' of the graph is damaged: {reason}",
                           "copy the file again; or lift a part that does not need the function, with --outputs")
CONSTANTS_NONE = _message("TFG016", "{path} has no weights: no constant of floats that has an axis",
                          "lift it without --as-variables; or name a constant, as in --as-variables scale")
CONSTANT_UNKNOWN = _message("TFG017", "--as-variables cannot choose '{name}', which {reason}")
SHAPE_UNKNOWN = _message("TFG018", "--shape names '{name}', but the graph in {path} has no such placeholder")
SHAPE_UNFIT = _message("TFG019", "--shape gives '{name}' the sizes {sizes}, but its shape is {shape}")
TAGS_OTHER = _message("TFG020", "--tags chooses a graph of a SavedModel, but {path} is a {kind}",
                      "leave --tags out")
