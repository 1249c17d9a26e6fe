import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SconesError, UndecodableText
from core.s3_uris import S3Uri
from orchestration.executions import S3Image
from scones.errors import UnreadableManifest
from scones.image_inputs import SkippedInput
from scones.manifests import ManifestContent, is_manifest_name, read_manifest

KEYS = ["a/b.png", 'c "quoted", ü.jpg']
EXPECTED = [S3Image("own", key) for key in KEYS]


def read(content: bytes | str, objects: dict[str, bytes] | None = None) -> ManifestContent:
    data = content.encode() if isinstance(content, str) else content
    return read_manifest(data, "m", "own", lambda uri: (objects or {})[str(uri)])


def table(*rows: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


OBJECTS = [{"s3_key": key} for key in KEYS]
FORMS = {
    "a JSON list of objects": json.dumps(OBJECTS),
    "indented": json.dumps(OBJECTS, indent=2, ensure_ascii=False),
    "a JSON list of keys": json.dumps(KEYS),
    "a JSON list of URIs": json.dumps([f"s3://own/{key}" for key in KEYS]),
    "JSON lines of objects": "\n".join(map(json.dumps, OBJECTS)) + "\n\n",
    "JSON lines of keys": "\r\n".join(map(json.dumps, KEYS)),
    "as AWS lists objects": json.dumps([{"Key": key, "Size": 7, "ETag": "x"} for key in KEYS]),
    "what the AWS CLI prints": json.dumps({"Contents": [{"Key": key, "Size": 7} for key in KEYS], "KeyCount": 2}),
    "CSV": table(["s3_key"], *([key] for key in KEYS)),
    "CSV, all quoted": '"s3_key"\n"a/b.png"\n"c ""quoted"", ü.jpg"\n',
    "CSV with more columns": table(["id", "s3_bucket", "s3_key"], *(["1", "own", key] for key in KEYS)),
    "CSV of URIs": table(["s3_uri"], *([f"s3://own/{key}"] for key in KEYS)),
    "lines of URIs": "\n".join(f"s3://own/{key}" for key in KEYS),
    "an augmented manifest": "\n".join(
        json.dumps({"source-ref": f"s3://own/{key}", "class": 1, "class-metadata": {"type": "x"}}) for key in KEYS
    ),
}


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "with a byte order mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "gzip": lambda text: gzip.compress(text.encode()),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_every_form_and_encoding_names_the_same_images(text: str, encode: Callable[[str], bytes]) -> None:
    assert read(encode(text)) == ManifestContent(EXPECTED, [])


def test_one_object_alone_is_a_manifest_of_one() -> None:
    assert read('{"s3_key": "a.png"}').images == [S3Image("own", "a.png")]


def test_an_item_may_name_its_bucket() -> None:
    items = [{"s3_bucket": "other", "s3_key": "a.png"}, {"source-ref": "s3://third/b.png"}, {"s3_key": "c.png"}]
    assert [image.s3_bucket for image in read(json.dumps(items)).images] == ["other", "third", "own"]


def test_duplicates_placeholders_and_hidden_files_are_left_out_with_the_reason() -> None:
    content = read(json.dumps(["a.png", "day1/", "a.png", "day1/.DS_Store", "", "s3://own/a.png"]))
    assert content.images == [S3Image("own", "a.png")]
    assert [(each.name, each.reason) for each in content.skipped] == [
        ("s3://own/day1/", "folder placeholder"),
        ("s3://own/a.png", "duplicate"),
        ("s3://own/day1/.DS_Store", "hidden"),
        ("s3://own/", "empty name"),
        ("s3://own/a.png", "duplicate"),
    ]


def test_an_empty_cell_is_an_empty_name() -> None:
    content = read("s3_key,size\na.png,1\n,2\n")
    assert (content.images, [each.reason for each in content.skipped]) == ([S3Image("own", "a.png")], ["empty name"])


def test_an_s3_inventory_is_read_with_its_files() -> None:
    schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"
    rows = [
        ["images", "a%20b.png", "1", "true", "false", "7"],
        ["images", "old.png", "1", "false", "false", "7"],
        ["images", "gone.png", "1", "true", "true", ""],
        ["images", "day1%2F", "1", "true", "false", "0"],
    ]
    manifest = {
        "sourceBucket": "images",
        "destinationBucket": "arn:aws:s3:::inventory",
        "version": "2016-11-30",
        "fileFormat": "CSV",
        "fileSchema": schema,
        "files": [{"key": "daily/data/1.csv.gz", "size": 9, "MD5checksum": "x"}],
    }
    files = {"s3://inventory/daily/data/1.csv.gz": gzip.compress(table(*rows).encode())}
    content = read(json.dumps(manifest), files)
    assert content.images == [S3Image("images", "a b.png")]
    assert content.skipped == [SkippedInput("s3://images/day1/", "folder placeholder")]


def test_an_inventory_in_another_format_is_refused_by_name() -> None:
    with pytest.raises(UnreadableManifest, match="written as CSV"):
        read(json.dumps({"fileFormat": "Parquet", "fileSchema": "message s3.inventory {}"})).images  # noqa: B018


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n ", "it is empty"),
        (b'[{"s3_key": "a.png"}, {"s3_k', "Unterminated string"),
        (b'[{"s3_key": null}]', "s3_key of item 1 is null"),
        (b'[{"s3_key": 1}]', "s3_key of item 1 is 1"),
        (b'[{"s3_key": "a.png"}, {"key": "b.png"}]', "item 2 has no s3_key"),
        (b"[[]]", r"item 1 is \[\]"),
        (b'[{"s3_bucket": 7, "s3_key": "a"}]', "s3_bucket of item 1 is 7"),
        (b'{"s3_key": "a.png"}\n{"s3_key": "b.png"\n', "line 2: "),
        (b'["s3:///a.png"]', "item 1: 's3:///a.png' is not an S3 URI"),
        (b"file,size\na.png,7\n", "no column s3_key"),
        (b"s3_key;label\na.png;bicycle\n", "no column s3_key"),
        (b'// comment\n["a.png"]', "no column s3_key"),
        (b'[{"s3_key": "a.png"},]', "Expecting value"),
        (b"['a.png']", "Expecting value"),
        (b'"s3_key"\n"a', "unexpected end of data"),
        (b'"a.png"\n"b', "line 2: Unterminated string"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (
            b'{"fileFormat": "CSV", "fileSchema": "Bucket, Key", "destinationBucket": "d", "files": ["x"]}',
            "no fileSchema with Bucket and Key, destination or files",
        ),
        (b"\x1f\x8bnot gzip", "damaged"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name_and_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableManifest, match=reason):
        read(content)


def test_another_encoding_is_refused_by_name() -> None:
    with pytest.raises(UndecodableText, match="m is not UTF-8"):
        read(b'["caf\xe9.png"]')


@given(st.one_of(st.binary(max_size=60), st.text('[]{}":,s3_key\n/ ', max_size=60).map(str.encode)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        result = read(content)
    except SconesError:
        return
    assert all(image.s3_key for image in result.images)


@pytest.mark.parametrize("key", ["a.json", "B.JSONL", "c.csv.gz", "x/manifest.json", "y.manifest"])
def test_manifests_are_known_by_their_names(key: str) -> None:
    assert is_manifest_name(key)
    assert not is_manifest_name("photos/a.png")


def test_a_uri_is_kept_whole() -> None:
    assert read('["s3://b/a b/c#d?e.png"]').images == [S3Image(*S3Uri("b", "a b/c#d?e.png"))]
