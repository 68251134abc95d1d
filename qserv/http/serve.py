"""The HTTP server: uvicorn over the application, until it is told to stop."""

from __future__ import annotations

from importlib.metadata import version

import uvicorn

from qserv.http.app import create_app
from qserv.http.service import Service

KEEP_ALIVE_S = 30
SHUTDOWN_S = 5


def make_server(service: Service, *, host: str, port: int) -> uvicorn.Server:
    """A server that is not running yet; logging is left as the caller set it up."""
    config = uvicorn.Config(
        create_app(service),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        headers=[("Server", f"Skyshard/{version('skyshard')}")],
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    return uvicorn.Server(config)


def serve(service: Service, *, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; running queries have `SHUTDOWN_S` seconds to end."""
    make_server(service, host=host, port=port).run()
