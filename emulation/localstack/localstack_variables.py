"""The environment variables of LocalStack: no Docker, telemetry or downloads, and our executor."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from emulation.localstack.scones_localstack.settings import ZIP_HOST_VARIABLE, ZipHost

# What the pipeline needs, in that order: loaded one after another once LocalStack listens.
PRELOADED_SERVICES = (
    "s3",
    "sqs",
    "iam",
    "sts",
    "cloudformation",
    "lambda",
    "stepfunctions",
    "logs",
    "cloudwatch",
    "events",
)
OTHER_SERVICES = ("ssm", "sns", "kms", "secretsmanager")


def localstack_environment(
    host: str, port: int, directory: Path, containers: Mapping[str, str], zip_host: ZipHost | None = None
) -> dict[str, str]:
    """Return the variables for a LocalStack on ``host:port`` that keeps its files in ``directory``.

    ``containers`` gives the URL of the Lambda container for each image name, ``zip_host`` how zip functions are run.
    """
    zip_variables = {} if zip_host is None else {ZIP_HOST_VARIABLE: json.dumps(asdict(zip_host))}
    return {
        **zip_variables,
        "GATEWAY_LISTEN": f"{host}:{port}",
        "LOCALSTACK_HOST": f"{host}:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "FILESYSTEM_ROOT": str(directory),
        "TMPDIR": str(directory),
        "PROVIDER_OVERRIDE_S3": "scones",
        "DISABLE_EVENTS": "1",
        # No page of another origin may read a response; the plugin refuses its requests.
        "DISABLE_CORS_HEADERS": "1",
        "DISABLE_CUSTOM_CORS_S3": "1",
        "DISABLE_CUSTOM_CORS_APIGATEWAY": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "LS_LOG": "warning",
        # What one of its services asks of another does not travel through its own web server.
        "IN_MEMORY_CLIENT": "1",
        # glibc gives threads 16 heaps on 2 cores, and each keeps what is freed in it; two suffice for an interpreter.
        "MALLOC_ARENA_MAX": "2",
        "SERVICES": ",".join(PRELOADED_SERVICES + OTHER_SERVICES),
        "STRICT_SERVICE_LOADING": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "scones",
        "SCONES_PRELOADED_SERVICES": " ".join(PRELOADED_SERVICES),
        "SCONES_LAMBDA_CONTAINERS": ",".join(f"{name}={url}" for name, url in containers.items()),
    }
