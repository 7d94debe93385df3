// Vectors of `lanes` floats for whichever instructions this file is compiled for.
//
// Included once for each set of instructions, inside of its own namespace `isa` (a macro), so that the linker never
// takes a function compiled for one processor for that of another.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define EVERYSTEP_LANES 16
#define EVERYSTEP_REGISTERS 32
#elif defined(__AVX2__) && defined(__FMA__)
#define EVERYSTEP_LANES 8
#define EVERYSTEP_REGISTERS 16
#elif defined(__aarch64__)
#define EVERYSTEP_LANES 4
#define EVERYSTEP_REGISTERS 32
#else
#define EVERYSTEP_LANES 4
#define EVERYSTEP_REGISTERS 16
#endif

#if EVERYSTEP_LANES == 16
#include <immintrin.h>
#endif

#define EVERYSTEP_INLINE inline __attribute__((always_inline))

namespace everystep::EVERYSTEP_ISA {

constexpr int lanes = EVERYSTEP_LANES;

typedef float Floats __attribute__((vector_size(4 * EVERYSTEP_LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * EVERYSTEP_LANES)));

EVERYSTEP_INLINE Floats splat(float value) { return value - Floats{}; }

EVERYSTEP_INLINE Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

EVERYSTEP_INLINE void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

// What lies below `count`, which is at least 1; zeros for the rest.
EVERYSTEP_INLINE Floats load(const float* from, int64_t count) {
  if (count >= lanes) return load(from);
#if EVERYSTEP_LANES == 16
  return static_cast<Floats>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from));
#else
  Floats value = {};
  std::memcpy(&value, from, sizeof(float) * static_cast<size_t>(count));
  return value;
#endif
}

EVERYSTEP_INLINE void store(float* to, Floats value, int64_t count) {
  if (count >= lanes) return store(to, value);
#if EVERYSTEP_LANES == 16
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), static_cast<__m512>(value));
#else
  std::memcpy(to, &value, sizeof(float) * static_cast<size_t>(count));
#endif
}

EVERYSTEP_INLINE Floats where(Ints mask, Floats a, Floats b) { return mask ? a : b; }

// a < b ? a : b and a > b ? a : b, so that the second is what a NaN gives: one instruction, if it is named.
#if EVERYSTEP_LANES == 16
EVERYSTEP_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b); }
EVERYSTEP_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b); }
#elif EVERYSTEP_LANES == 8
EVERYSTEP_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
EVERYSTEP_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
#elif defined(__SSE2__)
EVERYSTEP_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm_min_ps((__m128)a, (__m128)b); }
EVERYSTEP_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm_max_ps((__m128)a, (__m128)b); }
#else
EVERYSTEP_INLINE Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
EVERYSTEP_INLINE Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
#endif

// Rows become columns.
EVERYSTEP_INLINE void transpose(Floats (&rows)[lanes]) {
#if EVERYSTEP_LANES == 16
  // Pairs of rows, then fours, are woven in each quarter; then the quarters change places. The masks, of all lanes, are
  // there since GCC 12 warns of what it makes of these instructions without.
  __m512i a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_maskz_unpacklo_epi32(0xffff, (__m512i)rows[i], (__m512i)rows[i + 1]);
    a[i + 1] = _mm512_maskz_unpackhi_epi32(0xffff, (__m512i)rows[i], (__m512i)rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int half = 0; half < 2; ++half) {
      b[i + 2 * half] = _mm512_maskz_unpacklo_epi64(0xff, a[i + half], a[i + 2 + half]);
      b[i + 2 * half + 1] = _mm512_maskz_unpackhi_epi64(0xff, a[i + half], a[i + 2 + half]);
    }
  for (int i = 0; i < 4; ++i) {
    const __m512i even = _mm512_maskz_shuffle_i32x4(0xffff, b[i], b[4 + i], 0x88);
    const __m512i odd = _mm512_maskz_shuffle_i32x4(0xffff, b[i], b[4 + i], 0xdd);
    const __m512i last_even = _mm512_maskz_shuffle_i32x4(0xffff, b[8 + i], b[12 + i], 0x88);
    const __m512i last_odd = _mm512_maskz_shuffle_i32x4(0xffff, b[8 + i], b[12 + i], 0xdd);
    rows[i] = (Floats)_mm512_maskz_shuffle_i32x4(0xffff, even, last_even, 0x88);
    rows[4 + i] = (Floats)_mm512_maskz_shuffle_i32x4(0xffff, odd, last_odd, 0x88);
    rows[8 + i] = (Floats)_mm512_maskz_shuffle_i32x4(0xffff, even, last_even, 0xdd);
    rows[12 + i] = (Floats)_mm512_maskz_shuffle_i32x4(0xffff, odd, last_odd, 0xdd);
  }
#else
  uint32_t numbers[lanes][lanes], turned[lanes][lanes];
  std::memcpy(numbers, rows, sizeof numbers);
  for (int r = 0; r < lanes; ++r)
    for (int c = 0; c < lanes; ++c) turned[c][r] = numbers[r][c];
  std::memcpy(rows, turned, sizeof turned);
#endif
}

}  // namespace everystep::EVERYSTEP_ISA
