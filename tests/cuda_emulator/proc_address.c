/* cuGetProcAddress: from an API name and a CUDA version to an entry point. */
#include <string.h>

#include "driver.h"

/* Older forms that cuda.h no longer declares. */
#undef cuEventElapsedTime
#undef cuMemcpyBatchAsync
#undef cuGetProcAddress
CUresult CUDAAPI cuEventElapsedTime(float *, CUevent, CUevent);
CUresult CUDAAPI cuCtxCreate_v2(CUcontext *, unsigned, CUdevice);
CUresult CUDAAPI cuMemcpyBatchAsync(CUdeviceptr *, CUdeviceptr *, size_t *, size_t,
                                    CUmemcpyAttributes *, size_t *, size_t, size_t *, CUstream);
CUresult CUDAAPI cuGetProcAddress(const char *, void **, int, cuuint64_t);

/* The version is that of the CUDA release from which on a caller gets this form of the function. Of
 * several rows of one name, later ones are newer. */
static const struct {
  const char *name;
  int since;
  void *function;
} entries[] = {
    {"cuInit", 2000, cuInit},
    {"cuDriverGetVersion", 2020, cuDriverGetVersion},
    {"cuGetProcAddress", 11030, cuGetProcAddress},
    {"cuGetProcAddress", 12000, cuGetProcAddress_v2},
    {"cuGetErrorName", 6000, cuGetErrorName},
    {"cuGetErrorString", 6000, cuGetErrorString},
    {"cuDeviceGetCount", 2000, cuDeviceGetCount},
    {"cuDeviceGet", 2000, cuDeviceGet},
    {"cuDeviceGetName", 2000, cuDeviceGetName},
    {"cuDeviceGetAttribute", 2000, cuDeviceGetAttribute},
    {"cuDevicePrimaryCtxRetain", 7000, cuDevicePrimaryCtxRetain},
    {"cuDevicePrimaryCtxRelease", 11000, cuDevicePrimaryCtxRelease_v2},
    {"cuDevicePrimaryCtxGetState", 7000, cuDevicePrimaryCtxGetState},
    {"cuCtxCreate", 3020, cuCtxCreate_v2},
    {"cuCtxCreate", 12050, cuCtxCreate_v4},
    {"cuCtxDestroy", 4000, cuCtxDestroy_v2},
    {"cuCtxGetCurrent", 4000, cuCtxGetCurrent},
    {"cuCtxSetCurrent", 4000, cuCtxSetCurrent},
    {"cuCtxPushCurrent", 4000, cuCtxPushCurrent_v2},
    {"cuCtxPopCurrent", 4000, cuCtxPopCurrent_v2},
    {"cuCtxGetDevice", 2000, cuCtxGetDevice},
    {"cuCtxGetId", 12000, cuCtxGetId},
    {"cuCtxSynchronize", 2000, cuCtxSynchronize},
    {"cuMemAlloc", 3020, cuMemAlloc_v2},
    {"cuMemFree", 3020, cuMemFree_v2},
    {"cuMemHostAlloc", 2020, cuMemHostAlloc},
    {"cuMemFreeHost", 2000, cuMemFreeHost},
    {"cuMemHostGetDevicePointer", 3020, cuMemHostGetDevicePointer_v2},
    {"cuPointerGetAttribute", 4000, cuPointerGetAttribute},
    {"cuMemcpy", 4000, cuMemcpy},
    {"cuMemcpyHtoD", 3020, cuMemcpyHtoD_v2},
    {"cuMemcpyDtoH", 3020, cuMemcpyDtoH_v2},
    {"cuMemcpyDtoD", 3020, cuMemcpyDtoD_v2},
    {"cuMemcpyAsync", 4000, cuMemcpyAsync},
    {"cuMemcpyHtoDAsync", 3020, cuMemcpyHtoDAsync_v2},
    {"cuMemcpyDtoHAsync", 3020, cuMemcpyDtoHAsync_v2},
    {"cuMemcpyDtoDAsync", 3020, cuMemcpyDtoDAsync_v2},
    {"cuMemcpyBatchAsync", 12080, cuMemcpyBatchAsync},
    {"cuMemcpyBatchAsync", 13000, cuMemcpyBatchAsync_v2},
    {"cuMemsetD8", 3020, cuMemsetD8_v2},
    {"cuMemsetD8Async", 3020, cuMemsetD8Async},
    {"cuStreamCreate", 2000, cuStreamCreate},
    {"cuStreamCreateWithPriority", 5050, cuStreamCreateWithPriority},
    {"cuStreamDestroy", 4000, cuStreamDestroy_v2},
    {"cuStreamSynchronize", 2000, cuStreamSynchronize},
    {"cuStreamQuery", 2000, cuStreamQuery},
    {"cuStreamWaitEvent", 3020, cuStreamWaitEvent},
    {"cuStreamIsCapturing", 10000, cuStreamIsCapturing},
    {"cuStreamGetCtx", 9020, cuStreamGetCtx},
    {"cuThreadExchangeStreamCaptureMode", 10010, cuThreadExchangeStreamCaptureMode},
    {"cuEventCreate", 2000, cuEventCreate},
    {"cuEventRecord", 2000, cuEventRecord},
    {"cuEventQuery", 2000, cuEventQuery},
    {"cuEventSynchronize", 2000, cuEventSynchronize},
    {"cuEventElapsedTime", 2000, cuEventElapsedTime},
    {"cuEventElapsedTime", 12080, cuEventElapsedTime_v2},
    {"cuEventDestroy", 4000, cuEventDestroy_v2},
    {"cuLibraryLoadData", 12000, cuLibraryLoadData},
    {"cuLibraryUnload", 12000, cuLibraryUnload},
    {"cuLibraryGetKernel", 12000, cuLibraryGetKernel},
    {"cuKernelGetFunction", 12000, cuKernelGetFunction},
    {"cuKernelSetAttribute", 12000, cuKernelSetAttribute},
    {"cuKernelGetAttribute", 12000, cuKernelGetAttribute},
    {"cuFuncSetAttribute", 9000, cuFuncSetAttribute},
    {"cuFuncGetAttribute", 2020, cuFuncGetAttribute},
    {"cuLaunchKernel", 4000, cuLaunchKernel},
    {"cuLaunchKernelEx", 11060, cuLaunchKernelEx},
};

/* As in the real driver, usable before cuInit. Per-thread default streams are not emulated. */
CUresult CUDAAPI cuGetProcAddress_v2(const char *name, void **function, int version,
                                     cuuint64_t flags, CUdriverProcAddressQueryResult *status) {
  REQUIRE(name && function, CUDA_ERROR_INVALID_VALUE);
  REQUIRE((flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) == 0, CUDA_ERROR_NOT_SUPPORTED);
  CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  *function = NULL;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    if (strcmp(entries[i].name, name) != 0)
      continue;
    if (entries[i].since <= version) {
      *function = entries[i].function;
      found = CU_GET_PROC_ADDRESS_SUCCESS;
    } else if (!*function) {
      found = CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
    }
  }
  if (status)
    *status = found;
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

CUresult CUDAAPI cuGetProcAddress(const char *name, void **function, int version,
                                  cuuint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, NULL);
}
