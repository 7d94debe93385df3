// Sigmoid, tanh and the other activations on vectors, and their derivatives by what they gave.
//
// Bounds, held against double precision over all float32 values (tests/native/functions_test.cpp):
//   tanh     within 2.6 units in the last place, odd, never past 1, -0 kept;
//   sigmoid  within 2.5 units in the last place where it is a normal number, never past 1; 0 below -87.7.
// Both give 1 where the nearest float is 1, the limits at +-inf, and NaN for NaN.
//
// Both start from exp(-|x|), which cannot overflow, and end in one division, which takes no longer than the
// multiplications beside it. With x = n log 2 + r, n whole,
//   exp(x) = 2^n (1 + expm1(r)),   expm1(r) = r + r^2 q(r)   on |r| <= log(2) / 2,
// q of degree 4, fitted to the least greatest relative error of expm1, which is 1.4e-8.
#pragma once

#include "recurrent.h"
#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

typedef uint32_t Bits __attribute__((vector_size(4 * EVERYSTEP_LANES)));

constexpr uint32_t sign_bit = 0x80000000u;

EVERYSTEP_INLINE Floats minus_absolute(Floats x) { return (Floats)((Bits)x | sign_bit); }

// |x| must have no sign of its own.
EVERYSTEP_INLINE Floats with_sign_of(Floats x, Floats absolute) {
  return (Floats)((Bits)absolute | ((Bits)x & sign_bit));
}

// exp(times * x) = power * (1 + times * rest), power = 2^n.
struct Exponential {
  Floats power, rest;
};

// For x from -88 / times to 0; where n is -127, power is 0.
template <int times>
EVERYSTEP_INLINE Exponential exponential(Floats x) {
  // Numbers of this size have no fraction, so that adding rounds; their last bits are n + 127, the exponent of 2^n.
  const float whole = 0x1.8p23f + 127;
  const Floats rounded = x * static_cast<float>(times * 1.4426950408889634) + whole;
  const Floats n = rounded - whole;
  Floats r;
  if constexpr (times == 1) {
    // log 2 in two parts, the first short enough for n * part to be exact.
    r = x - n * 0x1.62e4p-1f - n * 0x1.7f7d1cp-20f;
  } else {
    // What a single part misses grows with -n, but 2^n makes it small before it is added to 1.
    r = x - n * static_cast<float>(0.6931471805599453 / times);
  }
  constexpr float k = times;
  const Floats squared = r * r;
  const Floats low = 0x1.fffffep-2f * k + r * (0x1.5554b4p-3f * k * k);
  const Floats middle = 0x1.5556f4p-5f * k * k * k + r * (0x1.12256ap-7f * k * k * k * k);
  const Floats high = middle + squared * (0x1.6b9aa8p-10f * k * k * k * k * k);
  return {(Floats)((Bits)rounded << 23), r + squared * (low + squared * high)};
}

// 1 / (1 + exp(-x)), for negative x as exp(x) / (1 + exp(x)).
EVERYSTEP_INLINE Floats sigmoid(Floats x) {
  const Exponential e = exponential<1>(maximum(splat(-88.0f), minus_absolute(x)));
  const Floats small = e.power + e.power * e.rest;
  return where(x < 0, small, splat(1.0f)) / (small + 1);
}

// (1 - exp(-2|x|)) / (1 + exp(-2|x|)), both halved.
EVERYSTEP_INLINE Floats tanh(Floats x) {
  const Exponential e = exponential<2>(maximum(splat(-10.0f), minus_absolute(x)));
  const Floats half = (0.5f - 0.5f * e.power) - e.power * e.rest;
  return with_sign_of(x, half / (1 - half));
}

// function(x), with `which` known when it is compiled.
template <Function which>
EVERYSTEP_INLINE Floats activate(Floats x) {
  if constexpr (which == Function::linear) {
    return x;
  } else if constexpr (which == Function::tanh) {
    return tanh(x);
  } else if constexpr (which == Function::sigmoid) {
    return sigmoid(x);
  } else if constexpr (which == Function::relu) {
    return maximum(splat(0.0f), x);
  } else {
    static_assert(which == Function::hard_sigmoid);
    return minimum(splat(6.0f), maximum(splat(0.0f), x + 3)) * (1.0f / 6);
  }
}

// d function(x) / dx, from y = function(x).
template <Function which>
EVERYSTEP_INLINE Floats slope(Floats y) {
  if constexpr (which == Function::linear) {
    return splat(1.0f);
  } else if constexpr (which == Function::tanh) {
    return 1 - y * y;
  } else if constexpr (which == Function::sigmoid) {
    return y * (1 - y);
  } else if constexpr (which == Function::relu) {
    return where(y > 0, splat(1.0f), splat(0.0f));
  } else {
    static_assert(which == Function::hard_sigmoid);
    return where((y > 0) & (y < 1), splat(1.0f / 6), splat(0.0f));
  }
}

}  // namespace everystep::EVERYSTEP_ISA
