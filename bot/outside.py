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
NOWHERE, OTHERWISE = "the proxy's name leads nowhere", "no connection"
OF_PROXIES = (NOWHERE, WHY["ClientProxyConnectionError"], WHY["ClientHttpProxyError"])
BROKE = "the connection broke"
OF_THE_NETWORK = frozenset({*WHY.values(), NOWHERE, OTHERWISE, BROKE})
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


def why_unreached(error_name: str, url: str) -> str:
    """Return in words why a far side at this address was not reached, by the name of the error."""
    if error_name == "ClientConnectorDNSError" and proxy_for(url):
        return NOWHERE  # behind a proxy no other name is looked up
    return WHY.get(error_name, OTHERWISE)


def variable_for(url: str) -> str:
    """Return the name of the variable that would name a proxy for an address."""
    return "HTTP_PROXY" if urlsplit(url).scheme in ("http", "ws") else "HTTPS_PROXY"


def wrong_proxy(url: str) -> str:
    """Return what is wrong with the proxy that is named for an address, or nothing; a password may stand in it."""
    try:
        named = urlsplit(proxy_for(url) or "http://none")
        has_host = bool(named.hostname) and named.port != 0
    except ValueError:
        return "it is no address such as http://proxy.example:3128"
    if named.scheme.startswith("socks"):
        return "SOCKS is not understood: name a proxy of http://"
    if named.scheme not in ("http", "https") or not has_host:
        return "it is no address such as http://proxy.example:3128"
    return ""


def wrong_certificates(file: str) -> str:
    """Return what is wrong with a file of authorities, or nothing: OpenSSL reads over one that it cannot read."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except FileNotFoundError:
        return "there is no such file"
    except ssl.SSLError:
        return "it holds no certificate, as PEM writes them"
    except OSError as error:
        return f"it cannot be read: {(error.strerror or '').lower()}"
    return ""


@cache
def certificates() -> ssl.SSLContext:
    """Return what all clients trust: the world's authorities, and those of this machine or of SSL_CERT_FILE.

    Reading them takes 20 ms, so it is done once.
    """
    trusted = ssl.create_default_context(cafile=certifi.where())
    trusted.load_default_certs()  # SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own, and read by it
    return trusted
