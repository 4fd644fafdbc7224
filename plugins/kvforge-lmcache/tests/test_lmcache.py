"""With LMCache itself: it loads the device through the entry point, and its own operations give the same
bytes, for all that they can do on the CPU."""

from __future__ import annotations

from conftest import FOLDER, ROOT, require

require(__name__)

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

if pytest.importorskip("lmcache.lmcache_native", reason="no LMCache"):
    from lmcache.lmcache_native import EngineKVFormat, TransferDirection
    from lmcache.v1.platform import torch_ops

from kvforge_lmcache import devices, ops

B, N, L, H, D, CHUNK = 9, 4, 3, 2, 8, 8
IDS = [7, 1, 4, 8, 0]
SHAPES = {
    0: (B, L, 2, N, H, D),
    1: (2, B, N, H, D),
    2: (B, 2, N, H, D),
    3: (B, N, D),
    4: (B * N, H, D),
    5: (B * N, 1, D),
    6: (2, B, H, N, D),
    7: (B, 2, H, N, D),
    8: (B, L, 2, H, N, D),
    9: (B, N, H, D),
    10: (B, H, N, D),
    11: (B, N, H, D),
    12: (B, H, N, D),
    13: (B, N, H, D),
    16: (B, N, H, D),
    18: (B, N, H, D),
}
ONE_PLANE, CROSS_LAYER, PLANE_TENSORS = (3, 5, 10, 11, 12, 13, 18), (0, 8), (4, 9)


def caches(format: int, dtype: torch.dtype) -> Any:
    """What an engine has, in the form that LMCache takes tensors in."""
    random = torch.Generator().manual_seed(format)

    def one() -> Any:
        return torch.randn(SHAPES[format], generator=random).to(dtype)

    if format in CROSS_LAYER:
        return one()
    if format in PLANE_TENSORS:
        return [[one() for _ in range(L)] for _ in range(2)]
    if format == 16:
        return [(one(), one()) for _ in range(L)]
    return [one() for _ in range(L)]


def flat(given: Any) -> list[Any]:
    """All tensors in it."""
    if isinstance(given, torch.Tensor):
        return [given]
    return [tensor for each in given for tensor in flat(each)]


@pytest.mark.parametrize("direction", ["H2D", "D2H"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.uint8])
@pytest.mark.parametrize("format", SHAPES)
def test_blocks_as_by_lmcache(format: int, dtype: torch.dtype, direction: str) -> None:
    heads = 1 if format in (3, 5) else H
    desc = SimpleNamespace(
        kv_size=1 if format in ONE_PLANE else 2,
        **{"nl": L, "nb": B, "bs": N, "nh": heads, "hs": D, "block_stride_elems": 0},
        element_size=dtype.itemsize,
        dtype=dtype,
    )
    shape = (L, CHUNK, heads * D) if format in ONE_PLANE else (2, L, CHUNK, heads * D)
    sides = []
    for module in (ops, torch_ops):
        pages = caches(format, dtype)
        random = torch.Generator().manual_seed(1)
        chunks = [torch.randn(shape, generator=random).to(dtype) for _ in range(3)]
        module.multi_layer_block_kv_transfer(
            *(pages, chunks, torch.tensor(IDS), torch.device("cpu")),
            *(getattr(TransferDirection, direction), desc, CHUNK, EngineKVFormat(format), 1),
        )
        sides.append([*flat(pages), *chunks])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*sides, strict=True))


@pytest.mark.parametrize("kind", ["Cpu", "Cuda"])
def test_only_operations_are_bound(kind: str) -> None:
    """All else is LMCache's: what one of some names turns on stays off."""
    stock = getattr(devices, f"{kind}DeviceOps")()
    ours = getattr(devices, f"Kvforge{kind}")().get_ops()
    bound = {name for name in vars(ours) if not name.startswith("_")}
    assert bound == set(dir(ops)) == {name for name in dir(torch_ops) if "kv_transfer" in name}
    for name in bound:
        assert getattr(ours, name) is getattr(ops, name)
        assert callable(getattr(stock, name))
    assert "lmcache_objects_ptrs" not in ops.multi_layer_block_kv_transfer.__annotations__


@pytest.mark.parametrize("asked", [True, False])
def test_lmcache_loads_it_by_name(tmp_path: Path, asked: bool) -> None:
    text = (FOLDER.parent / "pyproject.toml").read_text()
    entries = re.findall(r'^kvforge-\w+ = "[\w.:]+"$', text, re.M)
    info = tmp_path / "kvforge_lmcache-0.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kvforge-lmcache\nVersion: 0.2.0\n")
    lines = "\n".join(["[lmcache.device_plugins]", *(line.replace('"', "") for line in entries)])
    (info / "entry_points.txt").write_text(lines + "\n")
    folders = [tmp_path, FOLDER.parent / "src", ROOT / "python", *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    environment.pop("LMCACHE_DEVICE_BACKEND", None)
    if asked:
        environment["LMCACHE_DEVICE_BACKEND"] = "kvforge-cpu"
    code = "import lmcache; print(type(lmcache.device_ops).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    found = done.stdout.splitlines()[-1]
    assert (found == "KvforgeCpuOps") == asked
