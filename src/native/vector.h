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

}  // namespace everystep::EVERYSTEP_ISA
