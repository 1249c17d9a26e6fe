"""The baseline of an endpoint's model, in S3 next to the model artifact, so that each model has its own."""

from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from core.s3_uris import S3Uri, read_object
from monitoring.baseline import Baseline
from scones.errors import EndpointHasNoModel
from scones.model_serving import BASELINE
from training.errors import is_missing


def find(session: boto3.Session, endpoint: str, named: Path | None) -> Baseline | None:
    """Return the specified baseline, or the one next to the model that the endpoint serves, or None.

    Raises BaselineNotFound if the one named is absent, UnreadableBaseline.
    """
    if named is not None:
        return Baseline.read(named)
    try:
        uri = uri_beside_model(session.client("sagemaker"), endpoint)
    except EndpointHasNoModel:
        return None
    content = read_object(session.client("s3"), S3Uri.parse(uri))
    return None if content is None else Baseline.decode(content, uri)


def store(session: boto3.Session, endpoint: str, baseline: Baseline) -> str:
    """Put a baseline next to the model that the endpoint serves, and return its URI. Raises EndpointHasNoModel."""
    uri = uri_beside_model(session.client("sagemaker"), endpoint)
    bucket, key = S3Uri.parse(uri)
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=baseline.encode(), ContentType="application/json")
    return uri


def uri_beside_model(sagemaker: Any, endpoint: str) -> str:
    """Return the URI of the baseline that belongs to an endpoint's model. Raises EndpointHasNoModel."""
    try:
        config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = sagemaker.describe_model(ModelName=variants[0]["ModelName"])
    except ClientError as error:
        if is_missing(error):
            raise EndpointHasNoModel(endpoint) from error
        raise
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", ())]
    artifact = next((each["ModelDataUrl"] for each in containers if each.get("ModelDataUrl")), None)
    if artifact is None:
        raise EndpointHasNoModel(endpoint)
    return f"{artifact.rsplit('/', 1)[0]}/{BASELINE}"
