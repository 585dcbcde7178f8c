"""Names a host, or one port of it, as lists of allowed places do."""

from urllib.parse import urlsplit


def name_place(host: str, port: int | None = None) -> str:
    """`HOST` or `HOST:PORT`; an IPv6 host gets its brackets."""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def check_place(text: str) -> str:
    """The same place in the one spelling of `name_place`; raises ValueError for what is none."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port == 0 or parts.netloc != text or "@" in text or text.endswith(":"):
        raise ValueError(f"{text!r} is not HOST or HOST:PORT such as 127.0.0.1:9000; IPv6 is written [::1]")
    return name_place(host, port)
