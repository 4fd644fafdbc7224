//! Compiles the checked-in C of kvforge into an archive: no Python, no crate, no C++ and no CUDA runtime.
//!
//! The CUDA backend is built where nvcc is found and feature `cuda` is on. Environment: CC (also
//! CC_<target>, TARGET_CC) and CFLAGS; NVCC, CUDA_HOME and CUDA_ARCHS ("80,90", in place of the features
//! sm80, sm90, ...); KVFORGE_AXES ("scalar=bf16 cache=same,fp8_e4m3"), which selects among the variants of
//! the ops that the features name.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;

const DEFAULT_ARCHS: [&str; 4] = ["80", "90", "100", "120"];

/// One row of the index of variants.
struct Variant {
    backend: String,
    op: String,
    axes: Vec<(String, String)>,
    symbol: String,
}

/// A file to make, after which others can be made.
struct Job {
    command: Command,
    what: String,
}

fn main() {
    let root = source_root();
    for folder in ["runtime", "generated", "third_party/dlpack/include"] {
        println!("cargo:rerun-if-changed={}", root.join(folder).display());
    }
    let out = PathBuf::from(variable("OUT_DIR").expect("cargo sets OUT_DIR"));
    let include = ["runtime/include", "generated/include", "third_party/dlpack/include"]
        .map(|folder| root.join(folder));
    let index = read_index(&root.join("generated/kvf_kernels.inc"));
    let selected = select(&index);
    let compiler = compiler();

    let mut objects = Vec::new();
    let mut jobs = Vec::new();
    let mut compile = |source: &Path, name: &str, flags: &[&str]| {
        let object = out.join(format!("{name}.o"));
        let mut command = compiler_command(&compiler);
        command.args(["-std=gnu11", "-c", "-fPIC", "-fvisibility=hidden"]);
        command.args(["-fopenmp-simd", "-ffp-contract=off"]); // results do not depend on the level
        command.args(flags);
        command.args(include.iter().map(|folder| format!("-I{}", folder.display())));
        command.arg(format!("-I{}", root.join("runtime").display()));
        command.arg("-o").arg(&object).arg(source);
        jobs.push(Job { command, what: source.display().to_string() });
        objects.push(object);
    };

    let mut core = files(&root.join("runtime"), "c");
    core.extend(files(&root.join("generated/ops"), "c"));
    core.push(root.join("generated/registry.c"));
    for source in &core {
        let name = source.strip_prefix(&root).expect("of the tree").display().to_string();
        compile(source, &name.replace('/', "_"), &["-O2"]);
    }
    for variant in &selected {
        let source = root.join(format!("generated/cpu/{}.c", variant.symbol));
        for (level, flags) in levels() {
            if source.exists() {
                let isa = format!("-DKVF_ISA={level}");
                let mut words = vec!["-O3", "-fno-trapping-math", isa.as_str()];
                words.extend(flags);
                compile(&source, &format!("{}.{level}", variant.symbol), &words);
            }
        }
    }
    run_all(jobs);
    objects.extend(cuda_images(&root, &out, &include, &selected, &compiler));
    archive(&out, &objects, &compiler);

    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=kvforge");
    for library in ["pthread", "dl", "m"] {
        println!("cargo:rustc-link-lib={library}");
    }
    let folders = env::join_paths(&include).expect("no colon in the path of the sources");
    println!("cargo:include={}", folders.to_string_lossy()); // DEP_KVFORGE_INCLUDE
}

/// Where the C is: in the crate, as it is published, or in the repository that the crate lies in.
fn source_root() -> PathBuf {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let found = [here.join("c"), here.join("../..")]
        .into_iter()
        .find(|folder| folder.join("generated/registry.c").exists());
    found.expect("kvforge's C sources in c/ or ../..").canonicalize().expect("a readable folder")
}

/// An environment variable that the build depends on.
fn variable(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn has_feature(name: &str) -> bool {
    let name = name.to_uppercase().replace('-', "_");
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

/// The files of a folder and those in it with an extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

// ---- the selection -----------------------------------------------------------------------------------

/// KVF_VARIANT(cpu, op, "scalar=f32 cache=f32", symbol) for each variant.
fn read_index(path: &Path) -> Vec<Variant> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = text.lines().filter_map(|line| line.strip_prefix("KVF_VARIANT(")?.strip_suffix(')'));
    rows.map(|row| {
        let fields: Vec<&str> = row.split(", ").collect();
        let [backend, op, words, symbol] = fields[..] else { panic!("{}: {row}", path.display()) };
        let pairs = words.trim_matches('"').split(' ').filter_map(|word| word.split_once('='));
        Variant {
            backend: backend.into(),
            op: op.into(),
            axes: pairs.map(|(axis, value)| (axis.into(), value.into())).collect(),
            symbol: symbol.into(),
        }
    })
    .collect()
}

/// The variants that features and KVFORGE_AXES name.
fn select(all: &[Variant]) -> Vec<&Variant> {
    let wanted = wanted_axes(all);
    let selected = all.iter().filter(|variant| {
        let is_wanted = |(axis, value): &(String, String)| {
            wanted.get(axis).is_none_or(|values| {
                let same = variant.axes.first().is_some_and(|(_, first)| first == value);
                values.contains(value) || (same && values.iter().any(|value| value == "same"))
            })
        };
        (has_feature("all-ops") || has_feature(&variant.op)) && variant.axes.iter().all(is_wanted)
    });
    selected.collect()
}

/// KVFORGE_AXES; a name that no variant has ends the build.
fn wanted_axes(all: &[Variant]) -> BTreeMap<String, Vec<String>> {
    let mut wanted = BTreeMap::new();
    for word in variable("KVFORGE_AXES").unwrap_or_default().split_whitespace() {
        let (axis, values) = word
            .split_once('=')
            .unwrap_or_else(|| panic!("KVFORGE_AXES: got {word:?}, want AXIS=VALUE,VALUE"));
        let values: Vec<String> = values.split(',').map(token).collect();
        for value in values.iter().filter(|value| *value != "same") {
            let pair = (axis.to_string(), value.clone());
            if !all.iter().any(|variant| variant.axes.contains(&pair)) {
                panic!("KVFORGE_AXES: no variant has {axis}={value}");
            }
        }
        wanted.insert(axis.to_string(), values);
    }
    wanted
}

/// What callers call a dtype, as its token.
fn token(name: &str) -> String {
    let token = match name {
        "auto" => "same",
        "float32" => "f32",
        "float16" => "f16",
        "bfloat16" => "bf16",
        "fp8" => "fp8_e4m3",
        other => other,
    };
    token.into()
}

/// The instruction-set levels of the target, with their flags; the best that runs is chosen at start.
fn levels() -> Vec<(&'static str, Vec<&'static str>)> {
    match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86_64") => vec![
            ("baseline", vec![]),
            ("avx2", vec!["-march=x86-64-v3"]),
            ("avx512", vec!["-march=x86-64-v4", "-mprefer-vector-width=512"]),
        ],
        Ok("aarch64") => vec![("neon", vec![])],
        _ => vec![("baseline", vec![])],
    }
}

// ---- tools -------------------------------------------------------------------------------------------

/// The C compiler for the target, with its first arguments.
fn compiler() -> Vec<String> {
    let target = variable("TARGET").expect("cargo sets TARGET");
    let names = [format!("CC_{}", target.replace('-', "_")), "TARGET_CC".into(), "CC".into()];
    if let Some(command) = names.iter().find_map(|name| variable(name)) {
        return command.split_whitespace().map(String::from).collect();
    }
    if variable("HOST").as_deref() == Some(&target) {
        return vec!["cc".into()];
    }
    vec![format!("{}-gcc", target.replace("-unknown", ""))]
}

fn compiler_command(compiler: &[String]) -> Command {
    let mut command = Command::new(&compiler[0]);
    command.args(&compiler[1..]);
    command.args(variable("CFLAGS").unwrap_or_default().split_whitespace());
    command
}

/// Runs commands, as many at a time as cargo allows; ends the build with what failed.
fn run_all(jobs: Vec<Job>) {
    let threads = env::var("NUM_JOBS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let next = AtomicUsize::new(0);
    let jobs: Vec<Mutex<Job>> = jobs.into_iter().map(Mutex::new).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(&mut job.lock().expect("locked once"));
                }
            });
        }
    });
}

fn run(job: &mut Job) {
    let program = job.command.get_program().to_string_lossy().into_owned();
    let done = job.command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        panic!("{program} refuses {}:\n{said}{}", job.what, String::from_utf8_lossy(&done.stdout));
    }
}

/// One member with everything: nothing refers to a variant strongly, so that a linker would leave members
/// of their own out.
fn archive(out: &Path, objects: &[PathBuf], compiler: &[String]) {
    let whole = out.join("kvforge.o");
    let list = out.join("objects.rsp");
    let lines: Vec<String> = objects.iter().map(|path| format!("\"{}\"", path.display())).collect();
    fs::write(&list, lines.join("\n")).expect("OUT_DIR can be written to");
    let mut command = compiler_command(compiler);
    command.args(["-r", "-nostdlib", "-o"]).arg(&whole).arg(format!("@{}", list.display()));
    run(&mut Job { command, what: "the objects".into() });
    let library = out.join("libkvforge.a");
    let _ = fs::remove_file(&library); // ar would add to it
    let mut command = Command::new(variable("AR").unwrap_or_else(|| "ar".into()));
    command.arg("crs").arg(&library).arg(&whole);
    run(&mut Job { command, what: library.display().to_string() });
}

// ---- CUDA --------------------------------------------------------------------------------------------

/// The objects that embed the device code of the CUDA variants; none without nvcc or feature `cuda`.
fn cuda_images(
    root: &Path,
    out: &Path,
    include: &[PathBuf],
    selected: &[&Variant],
    compiler: &[String],
) -> Vec<PathBuf> {
    let kernels = selected.iter().filter(|variant| variant.backend == "cuda");
    let sources: Vec<(&str, PathBuf)> = kernels
        .map(|variant| (variant.symbol.as_str(), root.join(format!("generated/cuda/{}.cu", variant.symbol))))
        .filter(|(_, source)| source.exists()) // others are copies by the driver
        .collect();
    if !has_feature("cuda") || sources.is_empty() {
        return Vec::new();
    }
    let Some(nvcc) = find_nvcc() else {
        println!("cargo:warning=kvforge: no nvcc on PATH, in CUDA_HOME or NVCC: without the CUDA backend");
        return Vec::new();
    };
    let archs = archs(&nvcc);
    let (mut fatbins, mut images, mut objects) = (Vec::new(), Vec::new(), Vec::new());
    for (symbol, source) in sources {
        let own = archs_of(symbol, &archs);
        let Some(last) = own.last() else { continue };
        let fatbin = out.join(format!("{symbol}.fatbin"));
        let mut command = Command::new(&nvcc);
        command.args(["-c", "-fatbin", "-std=c++17"]);
        for arch in &own {
            command.arg("-gencode").arg(format!("arch=compute_{arch},code=sm_{arch}"));
        }
        command.arg("-gencode").arg(format!("arch=compute_{last},code=compute_{last}"));
        command.arg(format!("-I{}", root.join("runtime/nvcc").display()));
        command.args(include.iter().map(|folder| format!("-I{}", folder.display())));
        command.arg(format!("-I{}", root.join("runtime").display()));
        command.arg("-o").arg(&fatbin).arg(&source);
        fatbins.push(Job { command, what: source.display().to_string() });

        let object = out.join(format!("{symbol}.o"));
        let mut command = compiler_command(compiler);
        command.arg("-c").arg(format!("-DKVF_SYMBOL={symbol}"));
        command.arg(format!("-DKVF_FATBIN=\"{}\"", fatbin.display()));
        command.arg("-o").arg(&object).arg(root.join("runtime/core/cuda_image.S"));
        images.push(Job { command, what: fatbin.display().to_string() });
        objects.push(object);
    }
    run_all(fatbins);
    run_all(images);
    objects
}

fn find_nvcc() -> Option<PathBuf> {
    if let Some(given) = variable("NVCC") {
        return Some(given.into());
    }
    let path = variable("PATH").unwrap_or_default();
    let home = variable("CUDA_HOME").map(|home| Path::new(&home).join("bin"));
    let folders = env::split_paths(&path).chain(home).chain(["/usr/local/cuda/bin".into()]);
    folders.map(|folder| folder.join("nvcc")).find(|program| program.is_file())
}

/// CUDA_ARCHS, else those of the features, else those that most GPUs need and this nvcc has.
fn archs(nvcc: &Path) -> Vec<String> {
    let mut found: Vec<String> = match variable("CUDA_ARCHS") {
        Some(given) => {
            given.split([',', ';', ' ']).filter(|arch| !arch.is_empty()).map(String::from).collect()
        }
        None => DEFAULT_ARCHS
            .map(String::from)
            .into_iter()
            .filter(|arch| has_feature(&format!("sm{arch}")))
            .collect(),
    };
    if found.is_empty() {
        let mut command = Command::new(nvcc);
        let listed = command.arg("--list-gpu-code").output().expect("nvcc runs");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let known: Vec<&str> = listed.split_whitespace().collect();
        found = DEFAULT_ARCHS
            .map(String::from)
            .into_iter()
            .filter(|arch| known.contains(&format!("sm_{arch}").as_str()))
            .collect();
    }
    found.sort_by_key(|arch| number(arch));
    found
}

/// 90 of "90a"; a word without digits ends the build.
fn number(arch: &str) -> u32 {
    let digits = arch.trim_end_matches(['a', 'f']);
    digits.parse().unwrap_or_else(|_| panic!("CUDA_ARCHS: got {arch:?}, want for example 80,90a"))
}

/// Those of the archs that a body runs on: "__sm90" in a symbol is 9.0 and newer, "__sm90a" 9.0 alone.
fn archs_of(symbol: &str, archs: &[String]) -> Vec<String> {
    let is_arch = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let own = symbol.split("__").filter_map(|word| word.strip_prefix("sm")).find(is_arch).unwrap_or("0");
    if own.ends_with('a') {
        let there = archs.iter().any(|arch| number(arch) == number(own));
        return if there { vec![own.to_string()] } else { vec![] };
    }
    archs.iter().filter(|arch| number(arch) >= number(own)).cloned().collect()
}
