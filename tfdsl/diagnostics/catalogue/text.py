"""1xx: Text: messages of the parser."""

from ..message import message as _message

UNEXPECTED = _message("TFG101", "did not expect {found} here")
CHARACTER = _message("TFG102", "the character {character} is not allowed here")
INDENT_TAB = _message("TFG103", "a tab in the indentation", "indent with spaces only")
INDENT_UNEXPECTED = _message("TFG104", "this line is indented, but no block is open here",
                             "start it in the same column as the line above")
DEDENT_MISMATCH = _message("TFG105", "this indentation matches no line above it",
                           "start the line in the column of the block that it belongs to")
BLOCK_EXPECTED = _message("TFG106", "an indented block must follow the ':'",
                          "indent the lines of the block, or write its one line after the colon")
COLON_MISSING = _message("TFG107", "a ':' is missing at the end of this line")
BRACKET_OPEN = _message("TFG108", "'{bracket}' is never closed")
BRACKET_MISMATCH = _message("TFG109", "'{bracket}' does not match an open bracket")
STRING_OPEN = _message("TFG110", "this string has no closing quote on its line",
                       "end it with \"; a line break inside a string is written \\n")
QUOTES = _message("TFG111", "strings use double quotes",
                  "write \"...\"")
ESCAPE = _message("TFG112", "unknown escape {escape} in {what}", "a backslash itself is written \\\\")
ESCAPE_HALF = _message("TFG170", "a string cannot have {escape}, which is half of a character",
                       "write the character itself, or its number with eight digits, such as \\U0001f600")
BYTES_CHARACTER = _message("TFG172", "{character} is no ASCII character, and b\"...\" can have no other",
                           "for text, leave out the b; for the bytes of this character in UTF-8, write {escape}")
ASSIGN_TARGET = _message("TFG113", "only a name can be on the left of '='",
                         "to change a variable while it runs, make an op: update = assign(v, value)")
ARGUMENT_ORDER = _message("TFG114", "a positional argument follows the named argument '{name}'",
                          "put positional arguments first")
REST_LAST = _message("TFG171", "the parameter **{name} must be the last", "put it after the others")
NUMBER_SIZE = _message("TFG115", "this number has {digits} digits; at most {limit} are allowed")
TOO_DEEP = _message("TFG116", "nested more than {limit} deep",
                    "give names to the inner parts, or raise the limit with --max-depth")
BLOCKS_DEEP = _message("TFG119", "more than {limit:nested block}",
                       "put the inner blocks into a def, or raise the limit with --max-depth (a block counts as 50)")
SESSION_MISSING = _message("TFG120", "'{word}' is only allowed in a session",
                           "write the line 'session:' above line {line}, and indent the lines of the session by 4 "
                           "spaces")
WRONG_UNIT = _message("TFG117", "'{unit}' cannot be counted here",
                      "use {allowed}")
ENCODING = _message("TFG118", "{path} is not UTF-8 text: {reason}", "save the file as UTF-8")
