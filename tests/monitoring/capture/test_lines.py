import gzip

from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.capture.lines import lines
from tests.monitoring.captures import file


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\n", b"")), max_size=9), st.booleans(), st.integers(1, 7)
)
def test_lines_come_whole_however_the_bytes_arrive(texts: list[bytes], packed: bool, step: int) -> None:
    texts = [b"{" + text for text in texts]
    body = file(*texts)
    body = gzip.compress(body) if packed else body
    result = list(lines(body[at : at + step] for at in range(0, len(body), step)))
    assert [each.text for each in result] == texts
    assert all(each.whole for each in result)
