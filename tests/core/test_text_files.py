import codecs

import pytest

from core.errors import UndecodableText
from core.text_files import decode_text


@pytest.mark.parametrize(
    "content",
    [
        "ü=b\nx\n".encode(),
        codecs.BOM_UTF8 + "ü=b\r\nx\r\n".encode(),
        "ü=b\nx\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "ü=b\rx\r".encode("utf-16-be"),
    ],
)
def test_marks_and_line_ends_are_nobodys_concern(content: bytes) -> None:
    assert decode_text(content, "labels.txt") == "ü=b\nx\n"


@pytest.mark.parametrize("content", [b"caf\xe9", "x=y".encode("utf-16-le"), codecs.BOM_UTF16_LE + b"\x00\xd8", b"\0"])
def test_other_encodings_are_refused_by_name(content: bytes) -> None:
    with pytest.raises(UndecodableText, match=r"labels\.txt is not UTF-8 text"):
        decode_text(content, "labels.txt")
