"""The baseline beside an endpoint's model in S3: whoever serves another model is not compared with the shipped one."""

from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from monitoring.baseline import Baseline
from monitoring.errors import BaselineMissing
from scones import pipeline
from scones.errors import EndpointHasNoModel

_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


def find(session: boto3.Session, endpoint: str, named: Path | None) -> Baseline | None:
    """Return the baseline that was named, else the one beside the model that the endpoint serves; None without one.

    Raises BaselineMissing where the one named is absent, BaselineUnreadable.
    """
    if named is not None:
        return Baseline.read(named)
    try:
        where = beside(session.client("sagemaker"), endpoint)
    except EndpointHasNoModel:
        return None
    try:
        return Baseline.decode(_content(session.client("s3"), where), where)
    except BaselineMissing:
        return None


def store(session: boto3.Session, endpoint: str, baseline: Baseline) -> str:
    """Put a baseline beside the model that the endpoint serves, and return its address. Raises EndpointHasNoModel."""
    where = beside(session.client("sagemaker"), endpoint)
    bucket, _, key = where.removeprefix("s3://").partition("/")
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=baseline.encode(), ContentType="application/json")
    return where


def beside(sagemaker: Any, endpoint: str) -> str:
    """Return the address of the baseline that belongs to an endpoint's model. Raises EndpointHasNoModel."""
    try:
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = sagemaker.describe_model(ModelName=variants[0]["ModelName"])
    except ClientError as error:
        if "Could not find" in str(error):
            raise EndpointHasNoModel(endpoint) from error
        raise
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
    artefact = next((each["ModelDataUrl"] for each in containers if each.get("ModelDataUrl")), None)
    if artefact is None:
        raise EndpointHasNoModel(endpoint)
    return f"{artefact.rsplit('/', 1)[0]}/{pipeline.BASELINE}"


def _content(s3: Any, where: str) -> bytes:
    bucket, _, key = where.removeprefix("s3://").partition("/")
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"].get("Code") in _ABSENT:
            raise BaselineMissing(where) from None
        raise
