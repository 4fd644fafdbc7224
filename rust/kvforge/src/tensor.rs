//! Tensors: borrowed memory with a dtype, a shape and strides.

use crate::{Error, Result, Status};
use kvforge_sys as sys;
use std::ffi::c_void;
use std::marker::PhantomData;

/// The most dimensions that a tensor may have.
pub const MAX_NDIM: usize = 8;

/// What the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum DType {
    F32,
    F16,
    BF16,
    /// OCP E4M3 fn.
    Fp8E4M3,
    /// OCP E5M2.
    Fp8E5M2,
    I8,
    /// Bytes: also of fp8 and of the formats that pack several elements.
    U8,
    I32,
    I64,
}

impl DType {
    /// Bytes of an element.
    pub fn size(self) -> usize {
        usize::from(self.dlpack().bits) / 8
    }

    fn dlpack(self) -> sys::DLDataType {
        let (code, bits) = match self {
            DType::F32 => (sys::kDLFloat, 32),
            DType::F16 => (sys::kDLFloat, 16),
            DType::BF16 => (sys::kDLBfloat, 16),
            DType::Fp8E4M3 => (sys::kDLFloat8_e4m3fn, 8),
            DType::Fp8E5M2 => (sys::kDLFloat8_e5m2, 8),
            DType::I8 => (sys::kDLInt, 8),
            DType::U8 => (sys::kDLUInt, 8),
            DType::I32 => (sys::kDLInt, 32),
            DType::I64 => (sys::kDLInt, 64),
        };
        sys::DLDataType { code, bits, lanes: 1 }
    }
}

/// Types of Rust that are a dtype; halves are in `u16`, which [`Tensor::of_bits`] takes.
pub trait Element: Bits {
    /// The dtype.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($of:ty => $dtype:ident),*) => { $(impl Element for $of { const DTYPE: DType = DType::$dtype; })* };
}
elements!(f32 => F32, i8 => I8, u8 => U8, i32 => I32, i64 => I64);

/// Types without padding, of which every pattern of bits is a value.
///
/// # Safety
///
/// That has to be true: ops write any bits.
pub unsafe trait Bits: Copy {}

macro_rules! bits {
    ($($of:ty),*) => { $(unsafe impl Bits for $of {})* };
}
bits!(f32, i8, u8, i16, u16, i32, u32, i64, u64);

/// Where memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// Host memory.
    Cpu,
    /// Memory of a CUDA device, by its ordinal.
    Cuda(i32),
    /// Host memory that CUDA has pinned.
    CudaHost,
}

/// What both kinds of tensor are.
#[derive(Clone, Copy, Debug)]
struct Parts {
    data: *mut c_void,
    elements: Option<usize>, // that the memory has room for, where it is known
    ndim: usize,
    shape: [i64; MAX_NDIM],
    strides: [i64; MAX_NDIM],
    dtype: DType,
    device: Device,
}

fn refuse<T>(message: String) -> Result<T> {
    Err(Error { status: Status::InvalidValue, message })
}

impl Parts {
    /// A contiguous tensor.
    fn new(
        data: *mut c_void,
        elements: Option<usize>,
        dtype: DType,
        shape: &[i64],
        device: Device,
    ) -> Result<Self> {
        if shape.len() > MAX_NDIM {
            return refuse(format!("tensor: shape: got {} dimensions, want at most {MAX_NDIM}", shape.len()));
        }
        let mut parts = Parts {
            data,
            elements,
            ndim: shape.len(),
            shape: [0; MAX_NDIM],
            strides: [0; MAX_NDIM],
            dtype,
            device,
        };
        let mut stride = 1i64;
        for (i, &size) in shape.iter().enumerate().rev() {
            parts.shape[i] = size;
            parts.strides[i] = stride;
            stride = match stride.checked_mul(size.max(1)) {
                Some(next) if size >= 0 => next,
                _ => {
                    return refuse(format!(
                        "tensor: shape: got {shape:?}, want sizes of 0 or more that fit memory"
                    ))
                }
            };
        }
        parts.fits()
    }

    /// The same memory with other strides.
    fn strided(mut self, strides: &[i64]) -> Result<Self> {
        if strides.len() != self.ndim || strides.iter().any(|&stride| stride < 0) {
            return refuse(format!(
                "tensor: strides: got {strides:?}, want {} of 0 or more, in elements",
                self.ndim
            ));
        }
        self.strides[..self.ndim].copy_from_slice(strides);
        self.fits()
    }

    /// Itself, if the memory holds the last element.
    fn fits(self) -> Result<Self> {
        let Some(room) = self.elements else { return Ok(self) };
        let dimensions = || self.shape[..self.ndim].iter().zip(&self.strides);
        if dimensions().any(|(&size, _)| size == 0) {
            return Ok(self);
        }
        let last = dimensions()
            .try_fold(0i64, |at, (&size, &stride)| at.checked_add((size - 1).checked_mul(stride)?));
        match last.and_then(|at| usize::try_from(at).ok()) {
            Some(at) if at < room => Ok(self),
            _ => refuse(format!(
                "tensor: got memory for {room} elements, want as many as shape {:?} with strides {:?} spans",
                &self.shape[..self.ndim],
                &self.strides[..self.ndim]
            )),
        }
    }

    /// The tensor as C has it, good for as long as `self` stays where it is.
    fn dl(&self) -> sys::DLTensor {
        let (device_type, device_id) = match self.device {
            Device::Cpu => (sys::kDLCPU, 0),
            Device::Cuda(ordinal) => (sys::kDLCUDA, ordinal),
            Device::CudaHost => (sys::kDLCUDAHost, 0),
        };
        sys::DLTensor {
            data: self.data,
            device: sys::DLDevice { device_type, device_id },
            ndim: self.ndim as i32,
            dtype: self.dtype.dlpack(),
            shape: self.shape.as_ptr().cast_mut(), // which C does not write to
            strides: self.strides.as_ptr().cast_mut(),
            byte_offset: 0,
        }
    }
}

/// The number of elements of a dtype in a slice whose elements may be of another type.
fn count<T>(data: &[T], dtype: DType) -> Option<usize> {
    Some(std::mem::size_of_val(data) / dtype.size())
}

/// A tensor that an op reads.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    parts: Parts,
    memory: PhantomData<&'a [u8]>,
}

/// A tensor that an op reads and writes.
#[derive(Debug)]
pub struct TensorMut<'a> {
    parts: Parts,
    memory: PhantomData<&'a mut [u8]>,
}

impl<'a> Tensor<'a> {
    /// A slice as a contiguous tensor.
    pub fn new<T: Element>(data: &'a [T], shape: &[i64]) -> Result<Self> {
        Self::of_bits(data, T::DTYPE, shape)
    }

    /// A slice that holds elements of another dtype bit by bit, such as `u16` with [`DType::BF16`].
    pub fn of_bits<T: Bits>(data: &'a [T], dtype: DType, shape: &[i64]) -> Result<Self> {
        let pointer = data.as_ptr().cast_mut().cast();
        let parts = Parts::new(pointer, count(data, dtype), dtype, shape, Device::Cpu)?;
        Ok(Tensor { parts, memory: PhantomData })
    }

    /// Memory of any device, contiguous.
    ///
    /// # Safety
    ///
    /// The memory is there for `'a`, and nobody writes to it meanwhile. Of a CUDA device, that goes on
    /// until the stream of the call has run it.
    pub unsafe fn from_raw_parts(
        data: *const c_void,
        dtype: DType,
        shape: &[i64],
        device: Device,
    ) -> Result<Self> {
        let parts = Parts::new(data.cast_mut(), None, dtype, shape, device)?;
        Ok(Tensor { parts, memory: PhantomData })
    }

    /// The same memory with other strides, in elements.
    pub fn strided(self, strides: &[i64]) -> Result<Self> {
        Ok(Tensor { parts: self.parts.strided(strides)?, memory: PhantomData })
    }

    pub(crate) fn dl(&self) -> sys::DLTensor {
        self.parts.dl()
    }
}

impl<'a> TensorMut<'a> {
    /// A slice as a contiguous tensor.
    pub fn new<T: Element>(data: &'a mut [T], shape: &[i64]) -> Result<Self> {
        Self::of_bits(data, T::DTYPE, shape)
    }

    /// A slice that holds elements of another dtype bit by bit, such as `u16` with [`DType::BF16`].
    pub fn of_bits<T: Bits>(data: &'a mut [T], dtype: DType, shape: &[i64]) -> Result<Self> {
        let elements = count(data, dtype);
        let parts = Parts::new(data.as_mut_ptr().cast(), elements, dtype, shape, Device::Cpu)?;
        Ok(TensorMut { parts, memory: PhantomData })
    }

    /// Memory of any device, contiguous.
    ///
    /// # Safety
    ///
    /// The memory is there for `'a`, and nobody else reads or writes it meanwhile. Of a CUDA device, that
    /// goes on until the stream of the call has run it.
    pub unsafe fn from_raw_parts(
        data: *mut c_void,
        dtype: DType,
        shape: &[i64],
        device: Device,
    ) -> Result<Self> {
        Ok(TensorMut { parts: Parts::new(data, None, dtype, shape, device)?, memory: PhantomData })
    }

    /// The same memory with other strides, in elements.
    pub fn strided(self, strides: &[i64]) -> Result<Self> {
        Ok(TensorMut { parts: self.parts.strided(strides)?, memory: PhantomData })
    }

    pub(crate) fn dl(&mut self) -> sys::DLTensor {
        self.parts.dl()
    }
}
