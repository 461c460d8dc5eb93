"""Configuration of the web application's server, and the socket that it listens on."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI


def configured(
    web: FastAPI, host: str = "127.0.0.1", port: int = 0, proxies: Sequence[object] = ()
) -> uvicorn.Config:
    """Return the configuration of a server for the event loop that is already running.

    Args:
        web: the application.
        host: the address to listen on.
        port: the port; 0: any free port.
        proxies: networks whose X-Forwarded-For and X-Forwarded-Proto headers are trusted. Anybody can send
            these headers, also through a proxy on this machine that passes them on.
    """
    return uvicorn.Config(
        web,
        host=host,
        port=port,
        log_config=None,
        lifespan="off",
        loop="none",
        http="h11",
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[str(each) for each in proxies],
    )


def bound(config: uvicorn.Config) -> socket.socket:
    """Return a listening socket for a server.

    uvicorn's socket names no protocol, so asyncio does not disable Nagle's algorithm on its connections: each
    response on a connection that is kept would wait 40 ms for the acknowledgement of its own header.

    Raises:
        SystemExit: the port is in use.
    """
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
