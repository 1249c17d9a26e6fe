"""How LocalStack is told to run here: without Docker, without telemetry, without downloads, with our executor."""

from collections.abc import Mapping
from pathlib import Path

# What the pipeline needs, in that order: loaded one after another once LocalStack listens.
WARM_SERVICES = ("s3", "sqs", "iam", "sts", "cloudformation", "lambda", "stepfunctions", "logs", "cloudwatch", "events")
OTHER_SERVICES = ("ssm", "sns", "kms", "secretsmanager")


def localstack_environment(host: str, port: int, directory: Path, containers: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a LocalStack on ``host:port`` that keeps its files in ``directory``.

    ``containers`` gives the URL of the Lambda container for each image name.
    """
    return {
        "GATEWAY_LISTEN": f"{host}:{port}",
        "LOCALSTACK_HOST": f"{host}:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "FILESYSTEM_ROOT": str(directory),
        "TMPDIR": str(directory),
        "DISABLE_EVENTS": "1",
        # No page of another origin may read an answer; the plugin refuses its requests.
        "DISABLE_CORS_HEADERS": "1",
        "DISABLE_CUSTOM_CORS_S3": "1",
        "DISABLE_CUSTOM_CORS_APIGATEWAY": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "LS_LOG": "warning",
        # What one of its services asks of another does not travel through its own web server.
        "IN_MEMORY_CLIENT": "1",
        "SERVICES": ",".join(WARM_SERVICES + OTHER_SERVICES),
        "STRICT_SERVICE_LOADING": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "scones",
        "SCONES_WARM_SERVICES": " ".join(WARM_SERVICES),
        "SCONES_LAMBDA_CONTAINERS": ",".join(f"{name}={url}" for name, url in containers.items()),
    }
