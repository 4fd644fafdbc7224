"""Profiles: selections by name in a consumer's own TOML file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator import plan, profile
from generator.spec import DTYPES

TWO = """
[chat]
ops = ["reshape_and_cache_flash"]
axes = { scalar = ["bf16"], head_size = [64, 128], causal = [true] }
isas = ["avx2"]
archs = [90]

[all]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two profiles."""
    path = tmp_path / "kv.toml"
    path.write_text(TWO)
    return path


def test_a_profile_is_found_by_name(file: Path) -> None:
    found = profile.load(f"{file}:chat")
    assert found.ops == ["reshape_and_cache_flash"]
    assert found.axes == {"scalar": ["bf16"], "head_size": ["64", "128"], "causal": ["true"]}
    assert (found.isas, found.archs, found.backends) == (["avx2"], ["90"], None)
    assert profile.load(f"{file}:all") == profile.Profile("all")


def test_one_profile_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text("[mine]\nops = []\n")
    assert profile.load(str(tmp_path / "one.toml")) == profile.Profile("mine", ops=[])
    # A colon in the path is no name.
    (tmp_path / "a:b.toml").write_text("[mine]\n")
    assert profile.load(str(tmp_path / "a:b.toml")).name == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TWO, "holds chat, all; want .*kv.toml:NAME"),
        ("", "holds no profile"),
        ("ops = ['a']", "'ops' stands outside a table"),
        ("[a]\nop = ['b']", "kv.toml:a: unknown key 'op', want some of axes, ops"),
        ("[a]\nops = 'b'", "ops is 'b', want a list of strings"),
        ("[a]\nops = [1.5]", "ops is .*, want a list of strings"),
        ("[a]\naxes = ['b']", "axes is .*, want a table of lists"),
        ("[a]\naxes = { scalar = 'bf16' }", "axes.scalar is 'bf16', want a list"),
        ("[a", "kv.toml: ."),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "kv.toml").write_text(text)
    with pytest.raises(ValueError, match=words):
        profile.load(str(tmp_path / "kv.toml"))


def test_what_is_not_there(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no 'chess', want one of chat, all"):
        profile.load(f"{file}:chess")
    with pytest.raises(ValueError, match="No such file"):
        profile.load(str(tmp_path / "none.toml"))


def test_options_replace_what_a_profile_says(file: Path) -> None:
    found = profile.load(f"{file}:chat").but(
        ops=["zero_blocks"], axes={"scalar": ["f32"]}, isas=None
    )
    assert (found.ops, found.axes["scalar"], found.isas) == (["zero_blocks"], ["f32"], ["avx2"])
    assert found.axes["head_size"] == ["64", "128"]


def test_usual_values_are_those_of_who_names_none() -> None:
    heads = {"head_size": ["128", "other"]}
    everything = plan.variants()
    assert profile.Profile("").usual().axes == heads
    assert profile.Profile("", archs=["90"], axes={"scalar": ["bf16"]}).usual().axes == {
        "scalar": ["bf16"],
        **heads,
    }
    assert profile.Profile("", archs=["80", "all"]).usual().variants() == everything
    assert profile.Profile("", axes={"head_size": ["all"]}).usual().variants() == everything
    usual = profile.Profile("").usual().variants()
    left_out = [variant for variant in everything if variant not in usual]
    assert {variant.texts["head_size"] for variant in left_out} == {"64", "256"}
    assert {plan.unusual_axis(variant) for variant in left_out} == {"head_size"}
    assert {plan.unusual_axis(variant) for variant in usual} == {""}
    with pytest.raises(ValueError, match="unknown axis size: want some of "):
        plan.variants(axes={"size": ["all"]})


def test_dtypes_have_the_names_that_callers_give_them() -> None:
    """Those of kv_cache_dtype, all of them."""
    text = (plan.ROOT / "runtime/ops/shared/cache_dtype.c").read_text()
    table = text.partition("aliases[] = {")[2].partition("};")[0]
    tokens = {dtype.enum: dtype.token for dtype in DTYPES} | {"KVF_DTYPE_NONE": "same"}
    pairs = re.findall(r'\{"(\w+)", (\w+)\}', table)
    assert {string: tokens[enum] for string, enum in pairs} == plan.ALIASES
    for string, token in plan.ALIASES.items():
        axis = "cache" if string in ("auto", "fp8") else "scalar"
        assert plan.variants(axes={axis: [string]}) == plan.variants(axes={axis: [token]})
    with pytest.raises(ValueError, match="unknown cache dtype fp4: want some of "):
        plan.variants(axes={"cache": ["fp4"]})


def test_the_variants_of_a_profile(tmp_path: Path) -> None:
    (tmp_path / "kv.toml").write_text(
        '[a]\nops = ["reshape_and_cache_flash"]\nbackends = ["cpu"]\n'
        'axes = { scalar = ["bf16"], cache = ["same", "fp8_e4m3"] }\n'
    )
    assert [variant.symbol for variant in profile.load(str(tmp_path / "kv.toml")).variants()] == [
        "kvf_cpu_reshape_and_cache_flash__bf16__bf16",
        "kvf_cpu_reshape_and_cache_flash__bf16__fp8_e4m3",
    ]
