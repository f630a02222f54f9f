"""What an address that somebody gives us must be, before it is shown or anything is sent there. Pure."""

from urllib.parse import urlsplit

OUR_PATHS = ("/slack/events", "/circleci/webhook", "/mcp", "/mcp/readonly")  # we add them ourselves


def reached_at(address: str, *, schemes: tuple[str, ...] = ("https",)) -> str:
    """Return the address of a host alone; raises ValueError in words that do not quote it, for a password is in some.

    What is behind a host is ours to add, and this is shown to people.
    """
    plain = without_end(address, schemes=schemes)
    if urlsplit(plain).path:
        ours = next((path for path in OUR_PATHS if plain.endswith(path)), "")
        raise ValueError(
            f"{ours} is added by me: leave it out" if ours else "it must end behind the host: leave out its path"
        )
    return plain


def without_end(address: str, *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """Return an address without a slash at its end, which may have a path; raises ValueError as above."""
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError("it is no address such as https://ci.example.com") from None
    if url.scheme not in schemes:
        more = " (or http:// on your own network)" if "http" in schemes else ""
        raise ValueError(f"it must start with https://{more}")
    if "@" in url.netloc:
        raise ValueError("there is a name or a password in it: leave them out, people are shown it")
    if not host or any(letter.isspace() or not letter.isprintable() for letter in address):
        raise ValueError("it names no host, as https://ci.example.com does")
    if "?" in address or "#" in address:
        raise ValueError("it must end before the ? or #: leave out what follows")
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"
