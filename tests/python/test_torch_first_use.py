"""The torch binding where the build folder has none: compiled at the first register(), once."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

from pathlib import Path

import processes
from conftest import BUILD

SCRIPT = """
import time
import kvforge.torch, torch
from arrays import Torch
from cases import CASES
begin = time.monotonic()
kvforge.torch.register()
print(time.monotonic() - begin)
case = CASES["reshape_and_cache_flash"](Torch())
torch.ops._C_cache_ops.reshape_and_cache_flash(**case.arguments)
case.check(Torch())
print([line.split()[-1] for line in open("/proc/self/maps") if "kvforge_torch" in line][0])
"""


def test_the_binding_is_built_at_first_use(tmp_path: Path) -> None:
    build, cache = tmp_path / "build", tmp_path / "cache"
    build.mkdir()
    for file in BUILD.glob("*.so*"):
        if not file.name.startswith("kvforge_torch"):
            (build / file.name).symlink_to(file.resolve())
    environment = {"KVFORGE_BUILD": str(build), "KVFORGE_CACHE": str(cache)}
    cold, made = processes.run(SCRIPT, **environment).split()
    warm, found = processes.run(SCRIPT, **environment).split()
    assert made == found and made.startswith(str(cache))
    assert float(warm) < float(cold)
