"""Which proxy stands between this machine and a provider."""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """The one that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY; NO_PROXY takes hosts out)."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine, where no proxy may come between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
