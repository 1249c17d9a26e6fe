"""Refuses what a web page of another origin sends, and host names that are not this machine's.

A page in the user's browser can reach every port of loopback: by a form or a `text/plain` request, which need nobody's
consent, or under a name that it lets resolve to 127.0.0.1 (DNS rebinding). Browsers say where a request comes
from in `Origin` and `Sec-Fetch-Site`, and the name in `Host`; AWS's clients send neither of the first two.
It lives in this package, on the standard library alone, because LocalStack runs in its own environment.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from .settings import ALLOWED_HOSTS_VARIABLE, allowed_hosts

STATUS = 403
CODE = "AccessDeniedException"
_LOOPBACK = frozenset({"localhost", "localhost.localstack.cloud"})
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{1,5})?")
_OWN_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class RequestGuard:
    """Lets requests pass that name a loopback address or one of ``hosts``, and that no other origin's page has sent."""

    hosts: frozenset[str] = _LOOPBACK

    @classmethod
    def from_settings(cls) -> Self:
        """Allow loopback, the names that SCONES_ALLOWED_HOSTS lists, and their subdomains."""
        return cls(_LOOPBACK | allowed_hosts())

    def refusal(self, host: str | None, origin: str | None, fetch_site: str | None) -> str | None:
        """Return why a request with these headers is refused, or None if it is not.

        A request without ``Host`` passes: no browser leaves it out, and probes of HTTP/1.0 do.
        """
        if host is not None and not self._is_own(host.lower()):
            remedy = f"Use 127.0.0.1, or list the name in {ALLOWED_HOSTS_VARIABLE}."
            return f"The host name {host[:100]!r} is not allowed. {remedy}"
        if origin is not None and origin.lower() not in _origins(host):
            return f"Requests from the web origin {origin[:100]!r} are refused."
        if fetch_site is not None and fetch_site not in _OWN_SITE:
            return "Requests from web pages of another origin are refused."
        return None

    def _is_own(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip("[]")
        try:
            return ipaddress.ip_address(name).is_loopback or name in self.hosts
        except ValueError:
            return any(name == own or name.endswith(f".{own}") for own in self.hosts)


def _origins(host: str | None) -> tuple[str, ...]:
    return (f"http://{host}".lower(), f"https://{host}".lower()) if host else ()
