"""What a user asks for, and how the plugin comes into vLLM."""

from __future__ import annotations

from conftest import FOLDER, require

require(__name__)

import importlib
import re
from types import SimpleNamespace

import pytest
from vllm.config import set_current_vllm_config
from vllm.v1.attention.backends.registry import AttentionBackendEnum

import kvforge_vllm.cpu
from kvforge_vllm.backend import KvforgeBackend
from kvforge_vllm.settings import Settings, settings_of


def test_what_fp8_stands_for() -> None:
    settings = settings_of({"kvforge": {"fp8_as": "int8"}, "another": 1})
    assert [settings.format(name) for name in ("fp8", "fp8_e4m3", "auto")] == [
        "int8",
        "fp8_e4m3",
        "auto",
    ]
    assert settings.first_step("int8") and not settings.first_step("fp8_e4m3")


def test_where_scales_come_from() -> None:
    first = Settings(scales="first_step")
    formats = ("fp8_e5m2", "int8", "nvfp4", "auto", "int8_per_token_head")
    assert [first.first_step(name) for name in formats] == [True, True, True, False, False]
    assert not Settings(scales="checkpoint").first_step("int8")
    assert not Settings().first_step("fp8")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"fp8": "int8"},
            r"additional_config: got {'fp8': 'int8'}, want some of \['fp8_as', 'scal",
        ),
        ("int8", r"additional_config: got 'int8'"),
        ({"fp8_as": "nvfp4"}, r"fp8_as: got 'nvfp4', want one of \('fp8', "),
        ({"scales": "first"}, r"scales: got 'first', want 'checkpoint' or 'first_step'"),
    ],
)
def test_what_is_wrong_is_said(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^kvforge: {message}"):
        settings_of({"kvforge": given})
    assert settings_of({}) == settings_of(object()) == Settings()


def test_the_entry_point_takes_two_names() -> None:
    """register() is what pyproject.toml names, and both paths lead to classes."""
    text = (FOLDER.parent / "pyproject.toml").read_text()
    [(module, function)] = re.findall(r'^kvforge = "(\w+):(\w+)"$', text, re.M)
    getattr(importlib.import_module(module), function)()
    paths = [AttentionBackendEnum.CUSTOM.get_path(), AttentionBackendEnum.CPU_ATTN.get_path()]
    assert paths == ["kvforge_vllm.backend.KvforgeBackend", "kvforge_vllm.cpu.Backend"]
    for path in paths:
        module, _, name = path.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_the_cpu_platform_gets_what_was_asked_for() -> None:
    def chosen(backend: object) -> str:
        config = SimpleNamespace(attention_config=SimpleNamespace(backend=backend))
        with set_current_vllm_config(config):
            return str(kvforge_vllm.cpu.Backend.__name__)

    assert chosen(AttentionBackendEnum.CUSTOM) == KvforgeBackend.__name__
    assert chosen(None) == chosen(AttentionBackendEnum.CPU_ATTN) == "CPUAttentionBackend"
    assert kvforge_vllm.cpu.Backend.__name__ == "CPUAttentionBackend"  # no configuration at all
    with pytest.raises(AttributeError, match=r"'kvforge_vllm.cpu' has no attribute 'Other'"):
        _ = kvforge_vllm.cpu.Other


def test_formats_and_layouts() -> None:
    """Names are vLLM's own; nvfp4 needs blocks without gaps, which these layouts have."""
    names = KvforgeBackend.supported_kv_cache_dtypes
    assert {"auto", "fp8", "int8_per_token_head", "fp8_per_token_head", "nvfp4"} <= set(names)
    for layout in KvforgeBackend.supported_kv_cache_layouts():
        assert set(layout.value[:2]) == {0, 1}  # layers and blocks outside
