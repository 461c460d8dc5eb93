"""Configures the server of the web application."""

from __future__ import annotations

from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI


def configured(
    web: FastAPI, host: str = "127.0.0.1", port: int = 0, proxies: Sequence[object] = ()
) -> uvicorn.Config:
    """Return the configuration of a server for the loop that runs already.

    Args:
        web: what it serves.
        host: the address it listens on.
        port: its port; 0: any that is free.
        proxies: networks whose X-Forwarded-For and X-Forwarded-Proto are believed. Anybody can send them,
            also through a proxy on this machine that passes them on.
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
