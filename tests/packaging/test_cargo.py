"""The crates, without a registry: in a program from an empty folder, their own tests, and as they are
published."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from packages import BYTES, ROOT, copy_tree, run

FEATURES = "reshape_and_cache_flash,copy_blocks,zero_blocks"
# What is built is little, and once: all tests share a folder, and say the same of what build.rs depends on.
BUILD = {"KVFORGE_AXES": "scalar=f32 cache=same,fp8", "CUDA_ARCHS": "90"}
PROGRAM = """
use kvforge::{ops, Exec, Tensor, TensorMut};

fn main() -> Result<(), kvforge::Error> {
    let key: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let value: Vec<f32> = key.iter().map(|x| -x).collect();
    let (mut keys, mut values) = (vec![0u8; 64], vec![0u8; 64]);
    let pages = [2, 4, 2, 4];
    let scale = Tensor::new(&[0.5f32], &[1])?;
    ops::reshape_and_cache_flash(
        &Exec::default(),
        &Tensor::new(&key, &[1, 2, 4])?,
        &Tensor::new(&value, &[1, 2, 4])?,
        &mut TensorMut::new(&mut keys, &pages)?,
        &mut TensorMut::new(&mut values, &pages)?,
        &Tensor::new(&[5i64], &[1])?,
        "fp8",
        &scale,
        &scale,
        None,
    )?;
    for (k, v) in keys[40..48].iter().zip(&values[40..48]) {
        print!("{k:02x}{v:02x} ");
    }
    let others = keys.iter().zip(&values).enumerate();
    println!("{}", others.filter(|(i, (k, v))| !(40..48).contains(i) && **k + **v > 0).count());
    Ok(())
}
"""


@pytest.fixture(scope="module")
def crates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crates in a copy of the tree."""
    for name in ("cargo", "cc", "ar"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name}")
    return copy_tree(tmp_path_factory.mktemp("tree")) / "rust"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where cargo builds, and how build.rs is told what."""
    compiler = {"CC": "ccache cc"} if shutil.which("ccache") else {}
    return {"CARGO_TARGET_DIR": str(tmp_path_factory.mktemp("target")), **BUILD, **compiler}


def has_nvcc() -> bool:
    return shutil.which("nvcc") is not None or Path("/usr/local/cuda/bin/nvcc").exists()


def test_the_crates_own_tests(crates: Path, target: dict[str, str]) -> None:
    """And the example of the documentation."""
    words = ["-p", "kvforge", "--no-default-features", "--features", f"cuda,{FEATURES}"]
    said = run(crates, "cargo", "test", "--offline", "--quiet", *words, **target)
    passed = [int(number) for number in re.findall(r"test result: ok. (\d+) passed", said)]
    assert max(passed) >= 7 and passed[-1] == 1


def test_a_program_from_an_empty_folder(
    crates: Path, target: dict[str, str], tmp_path: Path
) -> None:
    """No crate of others; no C++, no CUDA and no shared kvforge; the kernel embedded where nvcc is."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.rs").write_text(PROGRAM)
    features = ", ".join(f'"{name}"' for name in ["cuda", *FEATURES.split(",")])
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "engine"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
        f'kvforge = {{ path = "{crates}/kvforge", default-features = false, features = [{features}] }}\n'
    )
    assert run(tmp_path, "cargo", "run", "--offline", "--quiet", **target) == BYTES
    program = Path(target["CARGO_TARGET_DIR"]) / "debug/engine"
    needed = re.findall(r"NEEDED.*\[(.*)\]", run(tmp_path, "readelf", "-d", program))
    assert not [name for name in needed if re.match("libstdc|libcuda|libkvforge", name)]
    kernel = b"kvf_cuda_reshape_and_cache_flash__f32__fp8_e4m3"
    fatbins = Path(target["CARGO_TARGET_DIR"]).glob(f"debug/build/*/out/{kernel.decode()}.fatbin")
    built = {fatbin.read_bytes() for fatbin in fatbins}
    assert len(built) == has_nvcc() and all(data in program.read_bytes() for data in built)


def test_what_build_rs_refuses(crates: Path, target: dict[str, str], tmp_path: Path) -> None:
    words = ["build", "--offline", "--quiet", "-p", "kvforge-sys", "--no-default-features"]
    for axes, message in (
        ("cache=fp4", "KVFORGE_AXES: no variant has cache=fp4"),
        ("cache", 'KVFORGE_AXES: got "cache", want AXIS=VALUE,VALUE'),
    ):
        environment = {**target, "CARGO_TARGET_DIR": str(tmp_path), "KVFORGE_AXES": axes}
        with pytest.raises(AssertionError, match=re.escape(message)):
            run(crates, "cargo", *words, **environment)


def test_the_published_crate_has_its_sources(tmp_path: Path) -> None:
    """Of the tree itself, where links stand for them."""
    if shutil.which("cargo") is None:
        pytest.skip("no cargo")
    words = ["--offline", "--no-verify", "--allow-dirty", "--quiet", "--target-dir", str(tmp_path)]
    run(ROOT / "rust", "cargo", "package", "-p", "kvforge-sys", *words)
    [crate] = (tmp_path / "package").glob("kvforge-sys-*.crate")
    with tarfile.open(crate) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    for path in [*ROOT.glob("runtime/**/*.c"), *ROOT.glob("generated/**/*.[ch]")]:
        assert f"c/{path.relative_to(ROOT)}" in names
    assert "c/third_party/dlpack/include/dlpack/dlpack.h" in names


def test_the_crates_declare_what_the_headers_do() -> None:
    """Names and numbers that are written twice."""
    header = (ROOT / "runtime/include/kvforge/kvforge.h").read_text()
    declared = (ROOT / "rust/kvforge-sys/src/lib.rs").read_text()
    assert (
        f"KVF_ABI_VERSION: i32 = {header.partition('KVF_ABI_VERSION ')[2].split()[0]};" in declared
    )
    statuses = header.partition("typedef enum kvf_status {")[2].partition("}")[0]
    for name, value in re.findall(r"^  (KVF_\w+) = (\d+)", statuses, re.M):
        assert f"pub const {name}: kvf_status = {value};" in declared, name
    for name in re.findall(r"pub fn (kvf_\w+)", declared):
        assert re.search(rf"\b{name}\(", header), name


def test_they_are_formatted(crates: Path) -> None:
    done = subprocess.run(["cargo", "fmt", "--version"], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no rustfmt")
    run(crates, "cargo", "fmt", "--all", "--check")
