// Numbers of the arrays, float32 or bfloat16, as vectors of float32.
#pragma once

#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

typedef uint32_t Words __attribute__((vector_size(4 * EVERYSTEP_LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * EVERYSTEP_LANES)));

// The upper half of a float32.
struct Bfloat16 {
  uint16_t bits;
};

EVERYSTEP_INLINE Floats floats_of(Halves numbers) {
  return (Floats)(__builtin_convertvector(numbers, Words) << 16);
}

// The nearest bfloat16, the even one of two, in the upper halves; the lower ones hold anything. A NaN stays one.
EVERYSTEP_INLINE Words upper_halves(Floats x) {
  const Words bits = (Words)x;
  return (Ints)(x == x) ? bits + 0x7fff + ((bits >> 16) & 1) : bits | 0x400000;
}

EVERYSTEP_INLINE Halves halves_of(Floats x) { return __builtin_convertvector(upper_halves(x) >> 16, Halves); }

EVERYSTEP_INLINE Floats rounded(Floats x) { return (Floats)(upper_halves(x) & 0xffff0000u); }

EVERYSTEP_INLINE Floats load(const Bfloat16* from) {
  Halves numbers;
  std::memcpy(&numbers, from, sizeof numbers);
  return floats_of(numbers);
}

EVERYSTEP_INLINE void store(Bfloat16* to, Floats value) {
  const Halves numbers = halves_of(value);
  std::memcpy(to, &numbers, sizeof numbers);
}

EVERYSTEP_INLINE Floats load(const Bfloat16* from, int64_t count) {
  if (count >= lanes) return load(from);
  Halves numbers = {};
#if EVERYSTEP_LANES == 16
  numbers = (Halves)_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), from);
#else
  std::memcpy(&numbers, from, sizeof(Bfloat16) * static_cast<size_t>(count));
#endif
  return floats_of(numbers);
}

EVERYSTEP_INLINE void store(Bfloat16* to, Floats value, int64_t count) {
  if (count >= lanes) return store(to, value);
  const Halves numbers = halves_of(value);
#if EVERYSTEP_LANES == 16
  _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << count) - 1), (__m256i)numbers);
#else
  std::memcpy(to, &numbers, sizeof(Bfloat16) * static_cast<size_t>(count));
#endif
}

}  // namespace everystep::EVERYSTEP_ISA
