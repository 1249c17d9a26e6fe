"""Sessions for the two targets."""

import boto3

from emulation.processes.background import status
from emulation.session import OfflineSession
from scones.settings import Settings, Target


def session(settings: Settings) -> boto3.Session:
    """Return the session that every command's clients come from.

    Locally it talks to what `scones up` started in this home, else to what answers at the settings' addresses
    (`docker compose up`).
    """
    if settings.target is Target.AWS:
        return boto3.Session(region_name=settings.region)
    running = status(settings.home).state
    if running is None:
        return OfflineSession(settings.localstack_url, settings.sagemaker_url, settings.region)
    return OfflineSession(running.localstack_url, running.sagemaker_url, settings.region)
