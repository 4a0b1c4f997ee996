"""Which proxy stands between this machine and a provider."""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


class UnusableProxy(ValueError):
    """The text names the variable and what would be right, without the proxy's address: it may hold a password."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name.upper()}_PROXY: not a proxy that can be used. Give http://host:port or https://host:port, or take"
            " the provider's host out by NO_PROXY."
        )


def proxy_for(url: str) -> str | None:
    """The one that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY; NO_PROXY takes hosts out).

    Raises:
        UnusableProxy: for one that does not speak HTTP: it would be handed the request all the same.
    """
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(name)
    if not proxy:
        return None
    scheme, stands, _ = proxy.partition("://")
    if stands and scheme.lower() not in ("http", "https"):
        raise UnusableProxy(name)
    # Many give the host and the port alone.
    return proxy if stands else f"http://{proxy}"


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine, where no proxy may come between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
