"""Ray, when it is needed: a cluster of this machine's own, or one that is there already."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from pathlib import Path
from types import ModuleType

from fertune.config import AUTO, Where
from fertune.errors import ConfigError
from fertune.execution.gpus import choose_gpus
from fertune.execution.machine import cores

HOWTO = "docs/howto/several-machines.md has it step by step"
PATIENCE = 10.0
"""Seconds in which a cluster has to answer at all."""
STORE = 200 * 2**20
"""Bytes of the object store on one machine, where nothing large travels."""


def load_ray() -> ModuleType:
    """The ``ray`` module, which reads its variables when it is imported."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    return ray  # type: ignore[no-any-return, unused-ignore]  # without stubs where it is not installed


def connect(where: Where) -> bool:
    """Join the cluster at ``where.address``, or begin one on this machine that nobody else can reach.

    Returns:
        Whether this process began or joined it, and so has to leave it; False where it was connected already.

    Raises:
        ConfigError: There is no cluster at the address, it refuses this machine's token, or ``where.gpus`` names GPUs
            of other machines.
    """
    if where.address is None:
        # what Ray does by itself on macOS and Windows: all its servers listen on the loopback interface alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        _own_token()
    ray = load_ray()
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if where.address is None:
        gpus = [gpu.id for gpu in choose_gpus(where.gpus)]
        if gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
        ray.init(
            address="local", include_dashboard=False, num_cpus=cores(), num_gpus=len(gpus),
            object_store_memory=STORE, **quiet,
        )  # fmt: skip
        return True
    check_address(where)
    try:
        ray.init(address=where.address, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ConfigError(
            f"no Ray cluster takes this machine in at {where.address}",
            details=[first[:300]],
            help=f"ray start --address={where.address} on this machine, with the cluster's token; {HOWTO}",
        ) from error
    return True


def check_address(where: Where) -> None:
    """Raise ConfigError where ``where.address`` is none, or nobody answers there; Ray itself would try on and on."""
    address = where.address
    if address is None or address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise ConfigError(
            f"--address {address}: fertune runs on a machine of the cluster; legal: HOST:PORT, or auto",
            help="run it on the head node, e.g. --address 127.0.0.1:6379",
        )
    if where.gpus not in (AUTO, "none"):
        raise ConfigError(
            f"--gpus {where.gpus} names GPUs of one machine, and --address means many",
            help="give each machine its GPUs when it joins: ray start --num-gpus=2 ...",
        )
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"no Ray cluster answers at {address}: {error}",
            help=f"ray start --head --port={port} on {host}; {HOWTO}",
        ) from error


def _own_token() -> None:
    """A token for a cluster of this process alone, where the user has none."""
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if not given and not (Path.home() / ".ray" / "auth_token").exists():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
