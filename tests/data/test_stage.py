"""Values as the language writes them."""

import sys

import tfdsl
from tfdsl.data.stage import written_whole


def test_texts_are_written_as_the_language_reads_them():
    assert written_whole('a\nb\t"c" \\ é\x07\u200b') == '"a\\nb\\t\\"c\\" \\\\ é\\x07\\u200b"'
    text = "".join(map(chr, (*range(0x500), 0x200B, 0x2028, 0xFEFF, 0xE0001, sys.maxunicode)))
    program = tfdsl.compile(f"param s = {written_whole(text)}\nsession: print s\n").program
    assert program.params[0].value == text
