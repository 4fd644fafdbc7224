"""What vLLM has no option for: `additional_config={"kvforge": {...}}`, `--additional-config` in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

FP8 = ("fp8", "fp8_e4m3", "fp8_e5m2")
BYTE = (*FP8, "int8")  # a byte an element, as vLLM's fp8: it allocates the same


@dataclass(frozen=True)
class Settings:
    """Of one layer's cache.

    fp8_as: the format that kv_cache_dtype "fp8" stands for; "int8" is the one that vLLM has no name for.
    scales: where static scales come from: "checkpoint" (vLLM's, 1 where it has none), or "first_step",
        the largest key and value of each head in the first step with tokens. Default: "first_step" for
        int8, where a scale of 1 would be of no use, else "checkpoint".
    """

    fp8_as: str = "fp8"
    scales: str | None = None

    def __post_init__(self) -> None:
        if self.fp8_as not in BYTE:
            raise ValueError(f"kvforge: fp8_as: got {self.fp8_as!r}, want one of {BYTE}")
        if self.scales not in (None, "checkpoint", "first_step"):
            raise ValueError(
                f"kvforge: scales: got {self.scales!r}, want 'checkpoint' or 'first_step'"
            )

    def format(self, kv_cache_dtype: str) -> str:
        """What the cache holds, as kvforge's ops name it."""
        return self.fp8_as if kv_cache_dtype == "fp8" else kv_cache_dtype

    def first_step(self, format: str) -> bool:
        """Whether a cache of this format takes its static scales from the first step."""
        if self.scales is None:
            return format == "int8"
        return self.scales == "first_step" and (format in BYTE or format.startswith("nvfp4"))


def settings_of(additional_config: Any) -> Settings:
    """Those of vLLM's additional_config. ValueError names what is not known."""
    given: Any = (
        additional_config.get("kvforge", {}) if isinstance(additional_config, Mapping) else {}
    )
    known = {field.name for field in fields(Settings)}
    if not isinstance(given, Mapping) or given.keys() - known:
        raise ValueError(f"kvforge: additional_config: got {given!r}, want some of {sorted(known)}")
    return Settings(**given)
