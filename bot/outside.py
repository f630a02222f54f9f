"""The way out of this machine: the proxy that its environment names, and the certificates that it trusts.

All that speak to a far side ask here, so that Slack, its sockets and CircleCI are reached by one rule.
"""

import ssl
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi

# No connection, or a proxy that passes nothing on: the request surely never arrived.
NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
WHY = {
    "TimeoutError": "no answer in time",
    "ClientConnectorDNSError": "its name leads nowhere",
    "ClientConnectorCertificateError": "its certificate is not one that I trust",
    "ClientProxyConnectionError": "the proxy does not answer",
    "ClientHttpProxyError": "the proxy does not let me through",
}
SCHEMES = {"wss": "https", "ws": "http"}  # a socket takes the way of the address that opened it


def proxy_for(url: str) -> str | None:
    """Return the proxy for an address: HTTPS_PROXY or HTTP_PROXY, None for what NO_PROXY names.

    slack_sdk reads the first two itself, and would send all of it there, NO_PROXY or not.
    """
    there = urlsplit(url)
    if not there.hostname or proxy_bypass(there.netloc.rpartition("@")[2]):
        return None
    named = getproxies().get(SCHEMES.get(there.scheme, there.scheme))
    return named if not named or "://" in named else f"http://{named}"


def why_unreached(error_name: str) -> str:
    """Return in words why a far side was not reached, by the name of the error."""
    return WHY.get(error_name, "no connection")


@cache
def certificates() -> ssl.SSLContext:
    """Return what all clients trust: the world's authorities, and those of this machine or of SSL_CERT_FILE.

    Reading them takes 20 ms, so it is done once.
    """
    trusted = ssl.create_default_context(cafile=certifi.where())
    trusted.load_default_certs()  # SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own, and read by it
    return trusted
