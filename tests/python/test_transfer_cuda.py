"""kvforge.transfer with pages of a GPU: the emulated one, and where torch has one two processes on it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from conftest import require

require("python", __file__)

from transfer_party import ENVIRONMENT, engines

from kvforge import _library, transfer

HERE = Path(__file__).resolve().parent


def emulated(*arguments: str) -> None:
    """transfer_emulated.py to its end."""
    driver = _library.find().parent / "emulator/libkvf_cuda_emulator.so"
    if not driver.is_file():
        pytest.skip("no emulated CUDA driver in this build; `ninja test` makes it where nvcc is")
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    settings = {"KVFORGE_LIBCUDA": str(driver), "KVF_EMULATOR_HOST_ACCESS": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, str(HERE / "transfer_emulated.py"), *arguments],
        env={**os.environ, **ENVIRONMENT, **settings},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


def test_in_the_emulated_driver() -> None:
    emulated()


@pytest.mark.parametrize("engine", ["nixl", "gloo"])
def test_two_processes_in_the_emulated_driver(engine: str) -> None:
    """The engine writes into pinned memory of the other process, registered as any memory of the host."""
    if engine not in engines():
        pytest.skip(f"{engine} is not installed")
    emulated(engine)


LAYERS, TOKENS, HEADS, SIZE, COUNT = 3, 16, 4, 64, 1000
CASES = [
    (source, target, dtype)
    for dtype in ("bfloat16", "fp8_e4m3")
    for source, target in (("cpu", "cpu"), ("cuda", "cuda"), ("cuda", "cpu"), ("cpu", "cuda"))
]


def pages(device: str, block: int, dtype: str, seed: int) -> tuple[Any, transfer.Group]:
    """Random pages [plane, layer, block, token, head, element] of so many tokens and more."""
    import torch

    random = torch.Generator().manual_seed(seed)
    shape = (2, LAYERS, 1200 // block + 1, block, HEADS, SIZE)
    found = torch.randn(shape, generator=random).to(device=device, dtype=torch.bfloat16)
    scales: list[Any] = []
    if dtype != "bfloat16":
        found = found.to(torch.float8_e4m3fn).view(torch.uint8)
        scales = [[0.5] * LAYERS, [0.25] * LAYERS]
    views = [found[plane, layer] for plane in range(2) for layer in range(LAYERS)]
    names = [f"layer.{layer}" for layer in range(LAYERS)]
    return found, transfer.Group("kv", views, layers=names, dtype=dtype, page_scales=scales)


def slots(seed: int) -> Any:
    import torch

    return torch.randperm(1200, generator=torch.Generator().manual_seed(seed))[:COUNT].numpy()


def receive(pipe: Connection, engine: str) -> None:
    """The other process: its pages of each case once all has come."""
    import torch

    for _, device, dtype in CASES:
        memory, group = pages(device, 48, dtype, 1)
        with transfer.Endpoint("to", [group], engine=engine, slot_bytes=1 << 18) as endpoint:
            peer = endpoint.connect(*pipe.recv())
            endpoint.fetch(peer, "key", slots(2), zero_tail=True).result()
            pipe.send_bytes(memory.cpu().view(torch.uint8).numpy().tobytes())
            pipe.recv()


@pytest.mark.parametrize("engine", ["nixl", "gloo"])
def test_two_processes(engine: str) -> None:
    if engine not in engines():
        pytest.skip(f"{engine} is not installed")
    torch: Any = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("torch has no GPU")
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    other = context.Process(target=receive, args=(theirs, engine), daemon=True)
    other.start()
    want: dict[str, bytes] = {}
    for source, target, dtype in CASES:
        memory, group = pages(source, TOKENS, "bfloat16", 0)
        with transfer.Endpoint("from", [group], engine=engine, slot_bytes=1 << 18) as endpoint:
            if source == "cuda":
                torch.cuda._sleep(100_000_000)  # what is behind it is late
            memory.mul_(2)
            offer = endpoint.offer("key", slots(3))
            pipe.send(endpoint.listen())
            offer.result()
            found = pipe.recv_bytes()
            pipe.send(None)
        assert want.setdefault(dtype, found) == found, (source, target, dtype)
    other.join(30)
