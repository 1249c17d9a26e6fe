"""boto3 sessions for the two targets."""

import boto3

from emulation.processes.local_environment import status
from emulation.session import OfflineSession
from scones.settings import Settings, Target


def open_session(settings: Settings) -> boto3.Session:
    """Return the session from which a command's clients come.

    For the local target its clients call what `scones up` started in this home, otherwise the URLs of the settings,
    where `docker compose up` listens.
    """
    if settings.target is Target.AWS:
        return boto3.Session(region_name=settings.region)
    running = status(settings.home).state
    if running is None:
        return OfflineSession(settings.localstack_url, settings.sagemaker_url, settings.region)
    return OfflineSession(running.localstack_url, running.sagemaker_url, settings.region)
