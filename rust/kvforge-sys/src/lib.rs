//! The C API of kvforge as it is: see kvforge/kvforge.h for what each function promises. Crate `kvforge`
//! is the safe layer over it. build.rs says what is compiled, and how that is chosen.
#![allow(non_camel_case_types, non_upper_case_globals)]

use std::ffi::{c_char, c_void};

#[rustfmt::skip]
pub mod ops;

pub type kvf_status = i32;
pub const KVF_OK: kvf_status = 0;
pub const KVF_INVALID_TYPE: kvf_status = 1;
pub const KVF_INVALID_VALUE: kvf_status = 2;
pub const KVF_OUT_OF_RANGE: kvf_status = 3;
pub const KVF_UNSUPPORTED: kvf_status = 4;
pub const KVF_NOT_BUILT: kvf_status = 5;
pub const KVF_NO_DEVICE: kvf_status = 6;
pub const KVF_CUDA_ERROR: kvf_status = 7;
pub const KVF_OUT_OF_MEMORY: kvf_status = 8;

pub type kvf_backend = u32;
pub const KVF_CPU: kvf_backend = 0;
pub const KVF_CUDA: kvf_backend = 1;

/// What this crate declares; `kvf_abi_version()` is what was compiled.
pub const KVF_ABI_VERSION: i32 = 11;

/// Where and how a call runs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct kvf_exec {
    pub backend: kvf_backend,
    pub device: i32,
    pub stream: *mut c_void,
    pub num_threads: i32,
    pub programmatic: bool,
}

/// What makes variants that were left out of the library.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct kvf_builder {
    pub build: Option<unsafe extern "C" fn(context: *mut c_void, symbol: *const c_char) -> bool>,
    pub context: *mut c_void,
}

/// Threads of an engine, in place of the library's own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct kvf_pool {
    pub run: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            threads: i32,
            work: Option<unsafe extern "C" fn(job: *mut c_void)>,
            job: *mut c_void,
        ),
    >,
    pub context: *mut c_void,
    pub num_threads: i32,
}

/// An op, a variant: opaque here.
pub enum kvf_op {}
pub enum kvf_variant {}

// ---- DLPack ------------------------------------------------------------------------------------------

pub const kDLCPU: i32 = 1;
pub const kDLCUDA: i32 = 2;
pub const kDLCUDAHost: i32 = 3;

pub const kDLInt: u8 = 0;
pub const kDLUInt: u8 = 1;
pub const kDLFloat: u8 = 2;
pub const kDLBfloat: u8 = 4;
pub const kDLFloat8_e4m3fn: u8 = 10;
pub const kDLFloat8_e5m2: u8 = 12;

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DLDevice {
    pub device_type: i32,
    pub device_id: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DLDataType {
    pub code: u8,
    pub bits: u8,
    pub lanes: u16,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DLTensor {
    pub data: *mut c_void,
    pub device: DLDevice,
    pub ndim: i32,
    pub dtype: DLDataType,
    pub shape: *mut i64,
    pub strides: *mut i64,
    pub byte_offset: u64,
}

// ---- functions that are not ops ----------------------------------------------------------------------

extern "C" {
    pub fn kvf_last_error() -> *const c_char;
    pub fn kvf_status_name(status: kvf_status) -> *const c_char;
    pub fn kvf_find_op(name: *const c_char) -> *const kvf_op;
    pub fn kvf_find_variant(symbol: *const c_char) -> *const kvf_variant;
    pub fn kvf_variant_built(variant: *const kvf_variant) -> bool;
    pub fn kvf_load_module(path: *const c_char) -> kvf_status;
    pub fn kvf_num_threads() -> i32;
    pub fn kvf_set_num_threads(num_threads: i32);
    pub fn kvf_programmatic() -> bool;
    pub fn kvf_set_programmatic(wanted: bool);
    pub fn kvf_set_builder(builder: *const kvf_builder);
    pub fn kvf_set_pool(pool: *const kvf_pool);
    pub fn kvf_cpu_isa() -> u32;
    pub fn kvf_isa_name(isa: u32) -> *const c_char;
    pub fn kvf_cuda_device_count(count: *mut i32) -> kvf_status;
    pub fn kvf_prepare(variant: *const kvf_variant, device: i32) -> kvf_status;
    pub fn kvf_cuda_fault_count(device: i32, count: *mut u64) -> kvf_status;
    pub fn kvf_cuda_clear_faults(device: i32, cleared: *mut u64) -> kvf_status;
    pub fn kvf_cuda_find_memory(address: *const c_void, device: *mut i32, bytes: *mut i64) -> kvf_status;
    pub fn kvf_cuda_free_workspaces(device: i32) -> kvf_status;
    pub fn kvf_abi_version() -> i32;
    pub fn kvf_version() -> *const c_char;
}
