"""The command `skyshard demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.cli.options import Home


def demo(  # noqa: PLR0917  (typer calls it by names)
    scale: Annotated[
        float,
        typer.Option(
            "--scale", min=0.001, max=100.0, help="1 is a million objects, ten million epochs."
        ),
    ] = 1.0,
    home: Home = None,
    shards: Annotated[
        int | None, typer.Option("--shards", help="How many shards; fixed once created. [4]")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Port of the HTTP server. [8080]")
    ] = None,
    replicas: Annotated[int, typer.Option("--replicas", min=1, help="Copies of each chunk.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another sky.")] = 20260101,
) -> None:
    """Load a simulated survey into a cluster of four shards and take a tour of it.

    Starts the cluster (or uses the one at --home), simulates a survey in the tables of Rubin's Data
    Preview 1 as catalog dp1, loads it, runs queries over it and draws the sky. Where dp1 is there
    already nothing is loaded: only the tour is taken. The cluster stays up.

    \b
    Examples:
      skyshard demo
      skyshard demo --scale 0.1 --home /tmp/sky --port 8090
    """
    from workers.demo.run import Wish, run

    run(home, Wish(scale, seed, replicas, shards, port))
