//! Ops through the safe layer, with bytes that are told by the table of the format, and what is refused.

use kvforge::{ops, DType, Device, Error, Exec, Status, Tensor, TensorMut};

const PAGES: [i64; 4] = [2, 4, 2, 4]; // pages, tokens, heads, head size
const BYTES: usize = 2 * 4 * 2 * 4;

/// 0, 2, ... 14 in E4M3: the numbers below divided by 0.5.
const CODES: [u8; 8] = [0x00, 0x40, 0x48, 0x4C, 0x50, 0x52, 0x54, 0x56];

fn numbers() -> Vec<f32> {
    (0..8).map(|i| i as f32).collect()
}

/// Writes one token to slot 5 of a cache; what is in both caches then.
fn write(exec: &Exec, slot: i64, dtype: &str) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let key = numbers();
    let value: Vec<f32> = key.iter().map(|x| -x).collect();
    let (mut keys, mut values) = (vec![0u8; BYTES], vec![0u8; BYTES]);
    let scale = [0.5f32];
    ops::reshape_and_cache_flash(
        exec,
        &Tensor::new(&key, &[1, 2, 4])?,
        &Tensor::new(&value, &[1, 2, 4])?,
        &mut TensorMut::new(&mut keys, &PAGES)?,
        &mut TensorMut::new(&mut values, &PAGES)?,
        &Tensor::new(&[slot], &[1])?,
        dtype,
        &Tensor::new(&scale, &[1])?,
        &Tensor::new(&scale, &[])?,
        None,
    )?;
    Ok((keys, values))
}

#[test]
fn bytes() {
    for exec in [Exec::default(), Exec::cpu(1), Exec::cpu(0)] {
        let (keys, values) = write(&exec, 5, "fp8").unwrap();
        assert_eq!(keys[40..48], CODES);
        assert_eq!(values[40..48], CODES.map(|code| code | 0x80));
        for bytes in [keys, values] {
            assert!(bytes[..40].iter().chain(&bytes[48..]).all(|&byte| byte == 0));
        }
    }
    assert!(write(&Exec::default(), -1, "fp8").unwrap().0.iter().all(|&byte| byte == 0));
}

#[test]
fn strides_tell_the_layout() {
    let key = numbers();
    let (mut keys, mut values) = (vec![0u8; BYTES], vec![0u8; BYTES]);
    let hnd = [32, 4, 16, 1];
    ops::reshape_and_cache_flash(
        &Exec::default(),
        &Tensor::new(&key, &[1, 2, 4]).unwrap(),
        &Tensor::new(&key, &[1, 2, 4]).unwrap(),
        &mut TensorMut::new(&mut keys, &PAGES).unwrap().strided(&hnd).unwrap(),
        &mut TensorMut::new(&mut values, &PAGES).unwrap().strided(&hnd).unwrap(),
        &Tensor::new(&[5i32], &[1]).unwrap(),
        "fp8_e4m3",
        &Tensor::new(&[0.5f32], &[1]).unwrap(),
        &Tensor::new(&[0.5f32], &[1]).unwrap(),
        None,
    )
    .unwrap();
    assert_eq!(keys[36..40], CODES[..4]); // page 1, head 0, place 1
    assert_eq!(keys[52..56], CODES[4..]); // page 1, head 1, place 1
}

#[test]
fn lists() {
    let mut first: Vec<u16> = (0..12).collect();
    let mut second: Vec<u16> = (100..112).collect();
    let halves = |data| TensorMut::of_bits(data, DType::BF16, &[3, 4]).unwrap();
    let mut keys = [halves(&mut first)];
    let mut values = [halves(&mut second)];
    let pairs = Tensor::new(&[0i64, 2], &[1, 2]).unwrap();
    ops::copy_blocks(&Exec::default(), &mut keys, &mut values, &pairs).unwrap();
    assert_eq!(first, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]);
    assert_eq!(second[8..], [100, 101, 102, 103]);
}

#[test]
fn what_is_refused_says_why() {
    let error = write(&Exec::default(), 64, "fp8").unwrap_err();
    assert_eq!(error.status, Status::OutOfRange);
    assert!(error.to_string().starts_with("reshape_and_cache_flash: slot_mapping: element 0 is 64, want"));
    let error = write(&Exec::default(), 5, "fp4").unwrap_err();
    assert_eq!(error.status, Status::InvalidValue);
    assert!(error.message.contains("kv_cache_dtype: got 'fp4', want one of auto"), "{error}");
    let error = write(&Exec::default(), 5, "fp8\0").unwrap_err();
    assert_eq!(
        error.message,
        "reshape_and_cache_flash: kv_cache_dtype: got a string with a NUL in it, want one without"
    );
    assert_eq!(write(&Exec::default(), 5, "auto").unwrap_err().status, Status::InvalidType);
}

#[test]
fn tensors_stay_in_their_memory() {
    let data = [0f32; 12];
    assert!(Tensor::new(&data, &[3, 4]).is_ok());
    assert!(Tensor::new(&data, &[0, 1 << 40]).is_ok());
    for shape in [&[13][..], &[4, 4], &[-1], &[i64::MAX, i64::MAX], &[1; 9]] {
        assert_eq!(Tensor::new(&data, shape).unwrap_err().status, Status::InvalidValue, "{shape:?}");
    }
    let whole = Tensor::new(&data, &[3, 4]).unwrap();
    assert!(whole.strided(&[4, 1]).is_ok() && whole.strided(&[0, 0]).is_ok());
    for strides in [&[5, 1][..], &[4], &[-4, 1], &[i64::MAX, 1]] {
        assert_eq!(whole.strided(strides).unwrap_err().status, Status::InvalidValue, "{strides:?}");
    }
    assert!(Tensor::of_bits(&data, DType::BF16, &[24]).is_ok());
    assert!(Tensor::of_bits(&data, DType::BF16, &[25]).is_err());
    assert!(Tensor::of_bits(&[0u8; 3], DType::F32, &[1]).is_err());
}

#[test]
fn memory_of_others() {
    let mut pages = vec![1u8; 12];
    // SAFETY: the vector outlives the tensor.
    let tensor =
        unsafe { TensorMut::from_raw_parts(pages.as_mut_ptr().cast(), DType::U8, &[3, 4], Device::Cpu) };
    let ids = Tensor::new(&[1i64], &[1]).unwrap();
    ops::zero_blocks(&Exec::default(), &mut [tensor.unwrap()], &ids).unwrap();
    assert_eq!(pages, [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn the_library() {
    assert_eq!(kvforge::version(), env!("CARGO_PKG_VERSION"));
    assert_eq!(kvforge::is_built("kvf_cpu_reshape_and_cache_flash__f32__fp8_e4m3"), Some(true));
    assert_eq!(kvforge::is_built("kvf_cpu_nothing__f32"), None);
    kvforge::set_num_threads(1);
    assert_eq!(kvforge::num_threads(), 1);
    kvforge::set_num_threads(0);
    kvforge::set_programmatic(true);
    assert!(kvforge::programmatic());
    kvforge::set_programmatic(false);
    assert!(!kvforge::programmatic());
    // SAFETY: the function takes nothing.
    assert_eq!(unsafe { kvforge_sys::kvf_abi_version() }, kvforge_sys::KVF_ABI_VERSION);
}
