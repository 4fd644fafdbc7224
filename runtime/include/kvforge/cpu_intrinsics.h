/*
 * The intrinsics of the level that is compiled for. <immintrin.h> has those of all that there are
 * in it, which takes gcc longer than most kernels: a fifth of a second at avx2, where this takes a
 * quarter of that. So gcc's headers for what x86-64-v3 or x86-64-v4 lacks are passed over, as
 * included already. Their names are known of gcc 12 alone; other compilers, and a compiler that is
 * told of more, read everything. Who wants more for functions with the attribute target includes
 * <immintrin.h> in front of this.
 */
#ifndef KVFORGE_CPU_INTRINSICS_H
#define KVFORGE_CPU_INTRINSICS_H

#if defined(__SSE3__)
#if defined(__GNUC__) && __GNUC__ == 12 && !defined(__clang__) && !defined(_IMMINTRIN_H_INCLUDED)
#if !defined(__AVX512ER__) && !defined(__AVX512IFMA__) && !defined(__AVX512VBMI__) &&              \
    !defined(__AVX512VNNI__) && !defined(__AVX512BF16__) && !defined(__AVX512FP16__) &&            \
    !defined(__GFNI__) && !defined(__VAES__) && !defined(__VPCLMULQDQ__) && !defined(__AMX_TILE__)
#if !defined(__AVX512F__)
#define _AVX512FINTRIN_H_INCLUDED
#define _AVX512CDINTRIN_H_INCLUDED
#define _AVX512VLINTRIN_H_INCLUDED
#define _AVX512BWINTRIN_H_INCLUDED
#define _AVX512DQINTRIN_H_INCLUDED
#define _AVX512VLBWINTRIN_H_INCLUDED
#define _AVX512VLDQINTRIN_H_INCLUDED
#endif
#define _AVX512ERINTRIN_H_INCLUDED
#define _AVX512PFINTRIN_H_INCLUDED
#define _AVX512IFMAINTRIN_H_INCLUDED
#define _AVX512IFMAVLINTRIN_H_INCLUDED
#define _AVX512VBMIINTRIN_H_INCLUDED
#define _AVX512VBMIVLINTRIN_H_INCLUDED
#define _AVX5124FMAPSINTRIN_H_INCLUDED
#define _AVX5124VNNIWINTRIN_H_INCLUDED
#define _AVX512VPOPCNTDQINTRIN_H_INCLUDED
#define __AVX512VBMI2INTRIN_H_INCLUDED
#define _AVX512VBMI2VLINTRIN_H_INCLUDED
#define __AVX512VNNIINTRIN_H_INCLUDED
#define _AVX512VNNIVLINTRIN_H_INCLUDED
#define _AVX512VPOPCNTDQVLINTRIN_H_INCLUDED
#define _AVX512BITALGINTRIN_H_INCLUDED
#define _AVX512VP2INTERSECTINTRIN_H_INCLUDED
#define _AVX512VP2INTERSECTVLINTRIN_H_INCLUDED
#define __AVX512FP16INTRIN_H_INCLUDED
#define __AVX512FP16VLINTRIN_H_INCLUDED
#define _AVX512BF16VLINTRIN_H_INCLUDED
#define _AVX512BF16INTRIN_H_INCLUDED
#define _GFNIINTRIN_H_INCLUDED
#define __VAESINTRIN_H_INCLUDED
#define _VPCLMULQDQINTRIN_H_INCLUDED
#endif
#endif
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#endif
