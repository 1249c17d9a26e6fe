"""boto3 sessions for the two targets."""

import boto3
import botocore.session
from botocore.config import Config

from core.defaults import REGION
from emulation.processes.local_environment import status
from emulation.session import OfflineSession
from scones.settings import Settings, Target

# AWS throttles each operation by a token bucket; adaptive retries also slow down the requests that follow.
RETRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 10})


def open_session(settings: Settings) -> boto3.Session:
    """Return the session from which a command's clients come.

    For the local target its clients call what `scones up` started in this home, otherwise the URLs of the settings,
    where `docker compose up` listens.
    """
    if settings.target is Target.AWS:
        return aws_session(settings)
    running = status(settings.home).state
    if running is None:
        return OfflineSession(settings.localstack_url, settings.sagemaker_url, settings.local_region)
    return OfflineSession(running.localstack_url, running.sagemaker_url, settings.local_region)


def aws_session(settings: Settings) -> boto3.Session:
    """Return a session of the AWS account, in the region that the environment, otherwise the profile, names."""
    client_defaults = botocore.session.get_session()
    client_defaults.set_default_client_config(RETRIES)
    session = boto3.Session(botocore_session=client_defaults, region_name=settings.region)
    return session if session.region_name else boto3.Session(botocore_session=client_defaults, region_name=REGION)
