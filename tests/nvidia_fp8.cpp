/* NVIDIA's own conversion, which the codec must agree with. Only where its header is installed. */
#if __has_include(<cuda_fp8.h>)

#include <cuda_fp8.h>
#include <stdint.h>

extern "C" uint8_t nvidia_fp8_e4m3(float value);
extern "C" uint8_t nvidia_fp8_e5m2(float value);

uint8_t nvidia_fp8_e4m3(float value) {
  return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
}

uint8_t nvidia_fp8_e5m2(float value) {
  return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E5M2);
}

#endif
