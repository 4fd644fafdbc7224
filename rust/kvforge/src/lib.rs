//! Paged KV-cache kernels: the ops of kvforge with borrowed tensors and `Result`.
//!
//! ```
//! use kvforge::{ops, Exec, Tensor, TensorMut};
//!
//! let key = [1.0f32; 2 * 8 * 128]; // 2 tokens, 8 heads, 128
//! let (mut keys, mut values) = (vec![0u8; 4 * 16 * 8 * 128], vec![0u8; 4 * 16 * 8 * 128]); // 4 pages of 16
//! let slots = [37i64, -1]; // page 2, place 5; and padding
//! let key = Tensor::new(&key, &[2, 8, 128])?;
//! let pages = [4, 16, 8, 128];
//! let (slots, scale) = (Tensor::new(&slots, &[2])?, [0.5f32]);
//! let scale = Tensor::new(&scale, &[1])?;
//! ops::reshape_and_cache_flash(
//!     &Exec::default(),
//!     &key,
//!     &key,
//!     &mut TensorMut::new(&mut keys, &pages)?,
//!     &mut TensorMut::new(&mut values, &pages)?,
//!     &slots,
//!     "fp8",
//!     &scale,
//!     &scale,
//!     None,
//! )?;
//! assert_eq!(keys[37 * 8 * 128], 0x40); // 1.0 / 0.5
//! # Ok::<(), kvforge::Error>(())
//! ```
//!
//! Memory of a GPU, or of another library, is a tensor by [`Tensor::from_raw_parts`]. A call with CUDA
//! tensors enqueues one kernel on [`Exec::cuda`]'s stream and returns. Nothing is written by a call that
//! returns an error, but where [`Status::CudaError`] says otherwise.

mod error;
#[rustfmt::skip]
pub mod ops;
mod tensor;

pub use error::{Error, Result, Status};
pub use tensor::{DType, Device, Element, Tensor, TensorMut, MAX_NDIM};

use kvforge_sys as sys;
use std::ffi::{c_void, CStr, CString};
use std::ptr;

pub(crate) use error::check;

/// Where and how a call runs; by default on the device of its tensors, on CUDA's default stream, with as
/// many threads as [`num_threads`] says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exec(Option<sys::kvf_exec>);

// SAFETY: a stream is a handle, which any thread may use.
unsafe impl Send for Exec {}
unsafe impl Sync for Exec {}

impl Exec {
    /// On the CPU, with this many threads at most, the calling one included; 0: [`num_threads`].
    pub fn cpu(num_threads: i32) -> Self {
        let (device, stream) = (0, ptr::null_mut());
        Exec(Some(sys::kvf_exec { backend: sys::KVF_CPU, device, stream, num_threads, programmatic: false }))
    }

    /// On a CUDA device, enqueued on this stream: a `CUstream`, equally `cudaStream_t`.
    ///
    /// # Safety
    ///
    /// The stream is null or one of the device, and alive when a call is made with it. The tensors of the
    /// call stay alive until the stream has run it.
    pub unsafe fn cuda(device: i32, stream: *mut c_void) -> Self {
        let (backend, num_threads, programmatic) = (sys::KVF_CUDA, 0, false);
        Exec(Some(sys::kvf_exec { backend, device, stream, num_threads, programmatic }))
    }

    /// The same, with kernels that may be set up on the device while the one in front of them on the
    /// stream still runs. They wait for its end before they touch memory: results are the same. Small
    /// calls that follow each other take less time so. Without effect below compute capability 9.0, on
    /// the CPU; where the tensors tell the place, [`set_programmatic`] has it.
    pub fn programmatic(self, wanted: bool) -> Self {
        Exec(self.0.map(|exec| sys::kvf_exec { programmatic: wanted, ..exec }))
    }

    fn as_ptr(&self) -> *const sys::kvf_exec {
        self.0.as_ref().map_or(ptr::null(), |exec| exec)
    }
}

/// How many CPU threads a call may use.
pub fn num_threads() -> i32 {
    // SAFETY: takes nothing.
    unsafe { sys::kvf_num_threads() }
}

/// Sets how many CPU threads a call may use, the calling one included; 0: as many as there can be.
pub fn set_num_threads(count: i32) {
    // SAFETY: any number will do.
    unsafe { sys::kvf_set_num_threads(count) }
}

/// What calls on the default place have for [`Exec::programmatic`].
pub fn programmatic() -> bool {
    // SAFETY: takes nothing.
    unsafe { sys::kvf_programmatic() }
}

/// Sets it, for all threads of the process; false at first.
pub fn set_programmatic(wanted: bool) {
    // SAFETY: either will do.
    unsafe { sys::kvf_set_programmatic(wanted) }
}

/// The number of CUDA devices; [`Status::NoDevice`] where there is none, or no driver.
pub fn cuda_devices() -> Result<i32> {
    let mut count = 0;
    // SAFETY: the number has a place.
    check(unsafe { sys::kvf_cuda_device_count(&mut count) })?;
    Ok(count)
}

/// Work items that kernels on a CUDA device have skipped because an index was out of range; complete for
/// the work that the caller has synchronised with.
pub fn cuda_faults(device: i32) -> Result<u64> {
    let mut count = 0;
    // SAFETY: the number has a place.
    check(unsafe { sys::kvf_cuda_fault_count(device, &mut count) })?;
    Ok(count)
}

/// Sets the count of [`cuda_faults`] to 0 and returns what it was.
pub fn clear_cuda_faults(device: i32) -> Result<u64> {
    let mut cleared = 0;
    // SAFETY: the number has a place.
    check(unsafe { sys::kvf_cuda_clear_faults(device, &mut cleared) })?;
    Ok(cleared)
}

/// Gives back the device memory that calls took for themselves, of the streams of the device's
/// current context. Their work must have ended, and graphs captured on them not be launched again.
///
/// # Safety
/// No work of the library may be under way on the device, nor be launched again by a graph.
pub unsafe fn free_cuda_workspaces(device: i32) -> Result<()> {
    // SAFETY: as the caller says.
    check(unsafe { sys::kvf_cuda_free_workspaces(device) })
}

/// Whether the library has code for a variant, such as
/// "kvf_cpu_reshape_and_cache_flash__bf16__fp8_e4m3"; `None` for a symbol that there is not.
pub fn is_built(symbol: &str) -> Option<bool> {
    let symbol = CString::new(symbol).ok()?;
    // SAFETY: a string with its end; the table lives as long as the program.
    unsafe {
        let variant = sys::kvf_find_variant(symbol.as_ptr());
        (!variant.is_null()).then(|| sys::kvf_variant_built(variant))
    }
}

/// The library's version.
pub fn version() -> &'static str {
    // SAFETY: a constant of the library.
    unsafe { CStr::from_ptr(sys::kvf_version()) }.to_str().unwrap_or("?")
}

/// A string argument as C has it.
pub(crate) fn text(op: &str, argument: &str, value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| Error {
        status: Status::InvalidValue,
        message: format!("{op}: {argument}: got a string with a NUL in it, want one without"),
    })
}

/// The addresses of tensors, which C takes a list of them by.
pub(crate) fn addresses(tensors: &[sys::DLTensor]) -> Vec<*const sys::DLTensor> {
    tensors.iter().map(|tensor| tensor as *const _).collect()
}
