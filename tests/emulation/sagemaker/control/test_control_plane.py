import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.emulation.sagemaker.emulator import IMAGE, ROLE, Emulator, capture_config, model_archive

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def refusal(call: Any, **arguments: Any) -> tuple[str, str, int]:
    """Error code, message and HTTP status of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def post(emulator: Emulator, body: bytes, target: str | None, path: str = "/") -> tuple[int, Any]:
    headers = {"content-type": "application/x-amz-json-1.1"} | ({"x-amz-target": target} if target else {})
    request = urllib.request.Request(emulator.url + path, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=600) as response:  # noqa: S310
            return response.status, json.loads(response.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_model_is_described_as_it_was_created(emulator: Emulator, name: str) -> None:
    sagemaker = emulator.client("sagemaker")
    emulator.s3.objects["models/m.tar.gz"] = model_archive()
    container = {"Image": IMAGE, "ModelDataUrl": "s3://models/m.tar.gz", "Environment": {"LEVEL": "info"}}
    before = datetime.now(UTC) - timedelta(seconds=1)

    created = sagemaker.create_model(ModelName=name.upper(), PrimaryContainer=container, ExecutionRoleArn=ROLE)

    assert created["ModelArn"] == f"{ARN}:model/{name}"
    described = sagemaker.describe_model(ModelName=name.upper())
    assert described["ModelName"] == name.upper()
    assert described["PrimaryContainer"] == container
    assert described["ExecutionRoleArn"] == ROLE
    assert before < described["CreationTime"] < datetime.now(UTC) + timedelta(seconds=1)
    sagemaker.delete_model(ModelName=name.upper())
    code, message, status = refusal(sagemaker.describe_model, ModelName=name)
    assert (code, status) == ("ValidationException", 400)
    assert message == f'Could not find model "{ARN}:model/{name}".'


def test_a_model_without_its_archive_in_s3_is_refused(emulator: Emulator, name: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://models/{name}.tar.gz"}
    response = refusal(emulator.client("sagemaker").create_model, ModelName=name, PrimaryContainer=container)
    assert response == ("ValidationException", f"Could not find model data at s3://models/{name}.tar.gz.", 400)


def test_a_model_whose_archive_is_not_in_s3_at_all_is_refused(emulator: Emulator, name: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "https://example.com/model.tar.gz"}
    code, message, _ = refusal(emulator.client("sagemaker").create_model, ModelName=name, PrimaryContainer=container)
    assert code == "ValidationException"
    assert message.startswith("Could not access model data at https://example.com/model.tar.gz.")


def test_what_exists_is_not_created_again(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    sagemaker = emulator.client("sagemaker")
    assert refusal(sagemaker.create_model, ModelName=name.upper(), PrimaryContainer={"Image": IMAGE}) == (
        "ValidationException",
        f'Cannot create already existing model "{ARN}:model/{name}".',
        400,
    )
    variants = [{"VariantName": "A", "ModelName": name, "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}]
    assert refusal(sagemaker.create_endpoint_config, EndpointConfigName=name, ProductionVariants=variants) == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{ARN}:endpoint-config/{name}".',
        400,
    )
    assert refusal(sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name) == (
        "ValidationException",
        f'Cannot create already existing endpoint "{ARN}:endpoint/{name}".',
        400,
    )


def test_what_is_not_there_is_named_by_its_arn(emulator: Emulator, name: str) -> None:
    sagemaker = emulator.client("sagemaker")
    endpoint = ("ValidationException", f'Could not find endpoint "{ARN}:endpoint/{name}".', 400)
    config = ("ValidationException", f'Could not find endpoint configuration "{ARN}:endpoint-config/{name}".', 400)
    assert refusal(sagemaker.describe_endpoint, EndpointName=name) == endpoint
    assert refusal(sagemaker.delete_endpoint, EndpointName=name) == endpoint
    assert refusal(sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=name) == endpoint
    assert refusal(sagemaker.describe_endpoint_config, EndpointConfigName=name) == config
    assert refusal(sagemaker.delete_endpoint_config, EndpointConfigName=name) == config
    assert refusal(sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name) == config
    assert refusal(sagemaker.delete_model, ModelName=name)[1] == f'Could not find model "{ARN}:model/{name}".'


def test_a_configuration_is_described_as_it_was_created(emulator: Emulator, name: str) -> None:
    emulator.model(name)
    emulator.config(name, name)
    described = emulator.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    assert described["EndpointConfigArn"] == f"{ARN}:endpoint-config/{name}"
    assert described["ProductionVariants"][0]["InstanceType"] == "ml.m5.xlarge"
    assert described["DataCaptureConfig"] == capture_config(100)


@pytest.mark.parametrize(
    ("variant", "complaint"),
    [
        ({"InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}, "ModelName must be specified"),
        ({"ModelName": "nowhere", "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}, "Could not find model"),
        ({"ModelName": "{name}", "InstanceType": "ml.m5.xlarge"}, "InstanceType and InitialInstanceCount"),
        ({"ModelName": "{name}", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}, "Data capture"),
    ],
)
def test_a_variant_that_cannot_be_served_is_refused(
    emulator: Emulator, name: str, variant: dict[str, Any], complaint: str
) -> None:
    emulator.model(name)
    parameters = {key: name if value == "{name}" else value for key, value in variant.items()}
    code, message, _ = refusal(
        emulator.client("sagemaker").create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "AllTraffic", **parameters}],
        DataCaptureConfig=capture_config(100),
    )
    assert code == "ValidationException"
    assert complaint in message


def test_two_variants_of_one_name_are_refused(emulator: Emulator, name: str) -> None:
    emulator.model(name)
    variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}
    code, message, _ = refusal(
        emulator.client("sagemaker").create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=[variant, variant],
    )
    assert (code, "must be unique" in message) == ("ValidationException", True)


def test_broken_constraints_are_all_named_in_the_words_of_aws(emulator: Emulator) -> None:
    variants = [{"VariantName": "All_Traffic", "InitialInstanceCount": 1, "InstanceType": "ml.big"}]
    code, message, status = refusal(
        emulator.client("sagemaker", parameter_validation=False).create_endpoint_config,
        EndpointConfigName="x" * 64,
        ProductionVariants=variants,
        Tags=[{"Key": "k"}],
    )
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("5 validation errors detected: ")
    name = "x" * 64
    assert (
        f"Value '{name}' at 'endpointConfigName' failed to satisfy constraint: Member must have length less than"
        in message
    )
    assert (
        "Value 'All_Traffic' at 'productionVariants.1.member.variantName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    ) in message
    assert "Value 'ml.big' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: " in message
    assert "Member must satisfy enum value set: [ml.t2.medium, " in message
    assert "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null" in message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "SerializationException"),
        (b"[]", "SerializationException"),
        (b'"x"', "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (b'{"EndpointName": NaN}', "SerializationException"),
        (b'{"EndpointName": 7}', "SerializationException"),
        (b'{"EndpointName": true}', "SerializationException"),
        (b'{"EndpointName": {}}', "SerializationException"),
        (b"\xff\xfe{}", "SerializationException"),
        (b"{}", "ValidationException"),
        (b"", "ValidationException"),
        (b'{"EndpointName": null}', "ValidationException"),
        (b'{"EndpointName": "\\ud800"}', "ValidationException"),
        (b'{"EndpointName": "../../etc/passwd"}', "ValidationException"),
    ],
)
def test_a_body_that_is_no_request_is_refused(emulator: Emulator, body: bytes, code: str) -> None:
    status, response = post(emulator, body, "SageMaker.DescribeEndpoint")
    assert (status, response["__type"]) == (400, code)
    assert "Traceback" not in json.dumps(response)


def test_a_huge_body_is_refused(emulator: Emulator) -> None:
    status, _ = post(emulator, b'{"EndpointName": "' + b"x" * 2_000_000 + b'"}', "SageMaker.DescribeEndpoint")
    assert status == 413


def test_unknown_members_and_nulls_are_ignored_as_aws_ignores_them(emulator: Emulator) -> None:
    status, response = post(emulator, b'{"Surprise": 1, "NameContains": null}', "SageMaker.ListEndpoints")
    assert status == 200
    assert "Endpoints" in response


@pytest.mark.parametrize("target", [None, "SageMaker.MakeCoffee", "DynamoDB.ListTables", "SageMaker.CreateHub"])
def test_an_operation_that_is_not_there_is_unknown(emulator: Emulator, target: str | None) -> None:
    status, response = post(emulator, b"{}", target)
    assert (status, response["__type"]) == (400, "UnknownOperationException")


def test_lists_are_filtered_sorted_and_paged(emulator: Emulator, name: str) -> None:
    sagemaker = emulator.client("sagemaker")
    names = [f"{name}-{index:02d}" for index in range(23)]
    for each in names:
        sagemaker.create_model(ModelName=each, PrimaryContainer={"Image": IMAGE})

    assert len(sagemaker.list_models(NameContains=name)["Models"]) == 10
    pages = sagemaker.get_paginator("list_models").paginate(
        NameContains=name.upper(), SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 7}
    )
    assert [[model["ModelName"] for model in page["Models"]] for page in pages] == [
        names[0:7],
        names[7:14],
        names[14:21],
        names[21:],
    ]
    newest_first = sagemaker.list_models(NameContains=name, MaxResults=100)["Models"]
    assert [model["ModelName"] for model in newest_first] == names[::-1]
    moment = newest_first[5]["CreationTime"]
    older = sagemaker.list_models(NameContains=name, MaxResults=100, CreationTimeBefore=moment)["Models"]
    younger = sagemaker.list_models(NameContains=name, MaxResults=100, CreationTimeAfter=moment)["Models"]
    assert {model["ModelName"] for model in older} | {model["ModelName"] for model in younger} == set(names)
    assert refusal(sagemaker.list_models, NextToken="bogus")[0] == "ValidationException"


def test_endpoints_are_listed_by_status(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    sagemaker = emulator.client("sagemaker")
    (summary,) = sagemaker.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"]
    assert summary["EndpointArn"] == f"{ARN}:endpoint/{name}"
    assert sagemaker.list_endpoints(NameContains=name, StatusEquals="Failed")["Endpoints"] == []
    assert [
        config["EndpointConfigName"] for config in sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    ]


def test_tags_are_set_listed_and_removed(emulator: Emulator, name: str) -> None:
    sagemaker = emulator.client("sagemaker")
    tags = [{"Key": "project", "Value": "scones"}, {"Key": "größe µ", "Value": "a b"}]
    arn = sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE}, Tags=tags)["ModelArn"]

    response = sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "project", "Value": "other"}, {"Key": "new", "Value": ""}]
    )

    assert {tag["Key"]: tag["Value"] for tag in response["Tags"]} == {"project": "other", "größe µ": "a b", "new": ""}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["new", "never was"])
    listed = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in listed} == {"project": "other", "größe µ": "a b"}
    many = [{"Key": f"k{index}", "Value": ""} for index in range(49)]
    assert refusal(sagemaker.add_tags, ResourceArn=arn, Tags=many)[0] == "ValidationException"
    assert (
        refusal(sagemaker.add_tags, ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": ""}])[0] == "ValidationException"
    )
    assert refusal(sagemaker.list_tags, ResourceArn=f"{ARN}:model/none")[0] == "ValidationException"
    assert refusal(sagemaker.list_tags, ResourceArn=f"{ARN}:hub/none")[0] == "ValidationException"
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert refusal(sagemaker.list_tags, ResourceArn=elsewhere)[0] == "ValidationException"


def test_every_answer_has_a_request_id(emulator: Emulator) -> None:
    response = emulator.client("sagemaker").list_models()
    assert len(response["ResponseMetadata"]["RequestId"]) == 36


def test_the_answers_hold_no_member_that_the_service_model_does_not_know(emulator: Emulator, name: str) -> None:
    emulator.endpoint(name)
    model = boto3.Session().client("sagemaker", region_name="us-east-1").meta.service_model
    for operation, request in [
        ("DescribeModel", {"ModelName": name}),
        ("DescribeEndpointConfig", {"EndpointConfigName": name}),
        ("DescribeEndpoint", {"EndpointName": name}),
        ("ListEndpoints", {}),
    ]:
        status, response = post(emulator, json.dumps(request).encode(), f"SageMaker.{operation}")
        shape = model.operation_model(operation).output_shape
        assert status == 200
        assert set(response) <= set(shape.members)
        assert set(shape.required_members) <= set(response)
