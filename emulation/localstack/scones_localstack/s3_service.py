"""The S3 service with its objects in this LocalStack's own temporary directory.

LocalStack 4.14 keeps the objects of all its processes in ``/tmp/localstack-s3-storage``: when one process ends, it
deletes the buckets of the others that have the same names, and a second user of the machine may not write there.
"""

from localstack.services.plugins import Service, aws_provider


@aws_provider(api="s3", name="scones")
def create_service() -> Service:
    """Return the service; chosen with ``PROVIDER_OVERRIDE_S3=scones``."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - LocalStack loads its services lazily

    return Service.for_provider(provider.S3Provider(provider.EphemeralS3ObjectStore()))
