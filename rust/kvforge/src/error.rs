//! Errors: a status and the library's sentence.

use kvforge_sys as sys;
use std::ffi::CStr;
use std::fmt;

/// What kind of error it is; the C API has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Wrong dtype, device or kind of argument.
    InvalidType,
    /// Wrong shape, stride, pointer, string or number.
    InvalidValue,
    /// An index lies outside the tensor that it points to.
    OutOfRange,
    /// The op does not have this combination of dtypes.
    Unsupported,
    /// It does, but this build leaves it out: see the features of kvforge-sys.
    NotBuilt,
    /// No CUDA driver, or no such device.
    NoDevice,
    /// A call of the CUDA driver failed.
    CudaError,
    /// The host ran out of memory.
    OutOfMemory,
    /// A status that this crate does not know.
    Other(i32),
}

/// Why a call was refused: a sentence that names the op, the argument, what it was and what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind.
    pub status: Status,
    /// The sentence.
    pub message: String,
}

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What C returned, with the sentence of the calling thread's latest error.
pub(crate) fn check(status: sys::kvf_status) -> Result<()> {
    let kind = match status {
        sys::KVF_OK => return Ok(()),
        sys::KVF_INVALID_TYPE => Status::InvalidType,
        sys::KVF_INVALID_VALUE => Status::InvalidValue,
        sys::KVF_OUT_OF_RANGE => Status::OutOfRange,
        sys::KVF_UNSUPPORTED => Status::Unsupported,
        sys::KVF_NOT_BUILT => Status::NotBuilt,
        sys::KVF_NO_DEVICE => Status::NoDevice,
        sys::KVF_CUDA_ERROR => Status::CudaError,
        sys::KVF_OUT_OF_MEMORY => Status::OutOfMemory,
        other => Status::Other(other),
    };
    // SAFETY: never null, and valid until the thread's next call that fails.
    let message = unsafe { CStr::from_ptr(sys::kvf_last_error()) };
    Err(Error { status: kind, message: message.to_string_lossy().into_owned() })
}
