from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from orchestration.package import TEMPLATE, packaged, upload
from tests.contracts.rendered import load


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "one.asl.json").write_text('{"StartAt": "A"}')
    (tmp_path / "template.yaml").write_text("Resources:\n  A:\n    DefinitionS3Location: one.asl.json\n")
    return tmp_path / "template.yaml"


def test_the_template_and_its_definitions_are_uploaded_and_the_template_names_them(template: Path) -> None:
    s3: Any = boto3.client("s3", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(s3) as stub:
        stub.add_response("put_object", {}, {"Bucket": "b", "Key": ANY, "Body": b'{"StartAt": "A"}'})
        stub.add_response("put_object", {}, {"Bucket": "b", "Key": ANY, "Body": packaged("b", template).encode()})
        url = upload(s3, "b", template)
        stub.assert_no_pending_responses()
    assert url.startswith("https://s3.eu-west-1.amazonaws.com/b/templates/template-")
    location = load(packaged("b", template))["Resources"]["A"]["DefinitionS3Location"]
    assert location["Bucket"] == "b"
    assert location["Key"].startswith("templates/one-")
    assert location["Key"].endswith(".asl.json")


def test_only_a_definition_that_changes_changes_the_template(template: Path) -> None:
    before = packaged("b", template)
    template.with_name("one.asl.json").touch()
    assert packaged("b", template) == before
    template.with_name("one.asl.json").write_text('{"StartAt": "B"}')
    assert packaged("b", template) != before


def test_nothing_but_the_locations_changes_in_our_template() -> None:
    def without_locations(text: str) -> dict[str, Any]:
        template = load(text)
        for name in ("ClassifyImage", "ClassifyBatch"):
            template["Resources"][name]["Properties"].pop("DefinitionS3Location")
        return template

    assert without_locations(packaged("bucket")) == without_locations(TEMPLATE.read_text("utf-8"))


def test_the_template_is_far_from_what_a_url_may_have() -> None:
    assert len(packaged("bucket").encode()) < 500_000  # of 1 MB
