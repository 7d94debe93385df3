// Random problems for the native loop, and arrays for them that are as long as they must be and no longer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "recurrent.h"
#include "reference.h"

namespace everystep {

// Of the greatest number in an array, or of 1.
constexpr double tolerance = 5e-5;
constexpr double nearest_kink = 1e-4;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}
  int64_t below(int64_t count) { return static_cast<int64_t>(bits_() % static_cast<uint64_t>(count)); }
  bool one_in(int64_t count) { return below(count) == 0; }
  float number(double most) {
    return static_cast<float>(most * (static_cast<double>(bits_() >> 11) * 0x1p-52 - 1));
  }
  template <class T, size_t count>
  T of(const T (&all)[count]) { return all[below(count)]; }

 private:
  std::mt19937_64 bits_;
};

// ---- bfloat16: the upper half of a float32

inline uint16_t narrowed(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return static_cast<uint16_t>((number == number ? bits + 0x7fff + ((bits >> 16) & 1) : bits) >> 16);
}

inline float widened(uint16_t number) {
  const uint32_t bits = static_cast<uint32_t>(number) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// ---- problems

inline Numbers numbers(Random& random, int64_t count, double most) {
  Numbers all(static_cast<size_t>(count));
  for (double& number : all) number = random.number(most);
  return all;
}

// The ids of one row: none, all, a length, padding ahead, gaps; or any ids in any order.
inline void segment_row(Random& random, int kind, int64_t steps, bool packed, int32_t* row) {
  const int64_t length = random.below(steps + 1);
  int32_t id = 1;
  for (int64_t step = 0; step < steps; ++step) {
    if (packed && random.one_in(4)) id = static_cast<int32_t>(random.below(7)) - 3;
    if (packed && random.one_in(50)) id = random.one_in(2) ? INT32_MIN : INT32_MAX;
    bool real = true;
    if (kind == 1) real = step < length;
    if (kind == 2) real = step >= length;
    if (kind == 3) real = !random.one_in(3);
    if (kind == 4) real = false;
    row[step] = real ? (id == 0 ? 5 : id) : 0;
  }
}

inline Problem problem_of(uint64_t seed) {
  Random random(seed);
  Problem p;
  p.setting.cell = random.of({Cell::simple, Cell::lstm, Cell::lstm, Cell::gru, Cell::gru_reset_before});
  p.setting.bfloat16 = random.one_in(3);
  p.setting.activation = Function::tanh;
  p.setting.gate_activation = Function::sigmoid;
  if (!p.setting.bfloat16 && random.one_in(3)) {
    const Function all[] = {Function::linear, Function::tanh, Function::sigmoid, Function::relu, Function::hard_sigmoid};
    p.setting.activation = random.of(all);
    p.setting.gate_activation = random.of(all);
  }
  p.setting.packed_rows = random.one_in(2);
  p.setting.reverse = random.one_in(2);
  p.setting.zero_output = random.one_in(2);
  const int64_t some[] = {1, 1, 2, 3, 5, 7, 8, 9, 13};
  const int64_t widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 64, 65, 80, 97};
  p.sizes = {random.of(some), random.of(some), random.of(widths), random.of(widths)};
  if (random.one_in(8)) p.sizes.batch = 17 + random.below(40);
  if (random.one_in(8)) p.sizes.steps = 17 + random.below(30);
  if (random.one_in(40)) p.sizes.batch = 0;
  if (random.one_in(40)) p.sizes.steps = 0;
  if (random.one_in(40)) p.sizes.features = 0;
  if (random.one_in(30)) p.sizes.features = 130 + random.below(200);
  if (random.one_in(30)) p.sizes.units = 98 + random.below(100);
  const auto [batch, steps, features, units] = p.sizes;

  p.values = numbers(random, batch * steps * features, 1.5);
  p.kernel = numbers(random, features * p.shares(), 2 / std::sqrt(1.0 + static_cast<double>(features)));
  p.recurrent_kernel = numbers(random, units * p.shares(), 2 / std::sqrt(static_cast<double>(units)));
  if (!random.one_in(3)) p.bias = numbers(random, p.shares(), 1);
  if (random.one_in(2)) p.recurrent_bias = numbers(random, p.shares(), 1);
  if (p.setting.cell == Cell::lstm && random.one_in(3)) p.peepholes = numbers(random, 3 * units, 1);
  if (random.one_in(3)) {
    p.dropout = numbers(random, batch * units, 1);
    for (double& factor : p.dropout) factor = factor < -0.5 ? 0 : 4 / 3.0f;
  }
  for (int state = 0; state < p.states(); ++state) {
    p.initial[state] = numbers(random, batch * units, 1);
    p.d_last[state] = numbers(random, batch * units, random.one_in(4) ? 0 : 1);
  }
  p.d_values = numbers(random, batch * steps * units, 1);
  if (!random.one_in(4)) {
    p.segments.resize(static_cast<size_t>(batch * steps));
    const int64_t kind = random.below(6);
    for (int64_t row = 0; row < batch; ++row)
      segment_row(random, static_cast<int>(kind == 5 ? random.below(5) : kind), steps, p.setting.packed_rows,
                  p.segments.data() + row * steps);
  }
  if (p.setting.bfloat16)
    for (Numbers* of_arrays : {&p.values, &p.kernel, &p.recurrent_kernel, &p.d_values})
      for (double& number : *of_arrays) number = widened(narrowed(static_cast<float>(number)));
  // What stands at padding must touch nothing.
  for (int64_t row = 0; row < batch; ++row)
    for (int64_t step = 0; step < steps; ++step) {
      if (p.is_real(row, step)) continue;
      const int64_t slot = row * steps + step;
      std::fill_n(p.values.begin() + slot * features, features, nan);
      if (p.setting.zero_output) std::fill_n(p.d_values.begin() + slot * units, units, nan);
    }
  return p;
}

// The inputs' part of the shares, without the bias: (batch, steps, shares).
inline Numbers input_shares(const Problem& p) {
  const size_t features = static_cast<size_t>(p.sizes.features), shares = static_cast<size_t>(p.shares());
  Numbers all(static_cast<size_t>(p.sizes.batch * p.sizes.steps) * shares);
  for (size_t at = 0; at < all.size(); ++at)
    for (size_t f = 0; f < features; ++f)
      all[at] += p.values[at / shares * features + f] * p.kernel[f * shares + at % shares];
  return all;
}

inline std::string described(const Problem& p) {
  const auto [batch, steps, features, units] = p.sizes;
  auto number = [](int64_t value) { return std::to_string(value); };
  return "cell " + number(static_cast<int>(p.setting.cell)) + ", activations " +
         number(static_cast<int>(p.setting.activation)) + " and " + number(static_cast<int>(p.setting.gate_activation)) +
         ", batch " + number(batch) + ", steps " + number(steps) + ", features " + number(features) + ", units " +
         number(units) + (p.segments.empty() ? "" : ", segments") + (p.setting.bfloat16 ? ", bfloat16" : "") +
         (p.setting.packed_rows ? ", packed" : "") +
         (p.setting.reverse ? ", reverse" : "") + (p.setting.zero_output ? ", zero output" : "") +
         (p.dropout.empty() ? "" : ", dropout") + (p.peepholes.empty() ? "" : ", peepholes") +
         (p.bias.empty() ? "" : ", bias") + (p.recurrent_bias.empty() ? "" : ", recurrent bias");
}

// ---- arrays as long as they must be and no longer, and as little aligned as they may be

// Of float32 or of bfloat16.
class Array {
 public:
  Array() = default;
  explicit Array(size_t count, bool narrow = false) : size_(count) {
    if (narrow) {
      halves_.reset(new uint16_t[count]);
    } else {
      floats_.reset(new float[count]);
    }
    fill(nan);
  }
  explicit Array(const Numbers& numbers, bool narrow = false) : Array(numbers.size(), narrow) {
    for (size_t at = 0; at < size_; ++at) put(at, static_cast<float>(numbers[at]));
  }
  // Arrays that are not there are nullptr.
  static Array optional(const Numbers& numbers) { return numbers.empty() ? Array() : Array(numbers); }

  float* floats() const { return floats_.get(); }
  void* data() const { return halves_ ? static_cast<void*>(halves_.get()) : floats_.get(); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * (halves_ ? sizeof(uint16_t) : sizeof(float)); }
  float operator[](size_t at) const { return halves_ ? widened(halves_[at]) : floats_[at]; }
  void fill(float number) {
    for (size_t at = 0; at < size_; ++at) put(at, number);
  }
  bool same_bits(const Array& other) const {
    return bytes() == other.bytes() && (size_ == 0 || !std::memcmp(data(), other.data(), bytes()));
  }

 private:
  void put(size_t at, float number) {
    if (halves_) {
      halves_[at] = narrowed(number);
    } else {
      floats_[at] = number;
    }
  }

  std::unique_ptr<float[]> floats_;
  std::unique_ptr<uint16_t[]> halves_;
  size_t size_ = 0;
};

struct Aligned {
  void operator()(void* data) const { ::operator delete(data, std::align_val_t(64)); }
};
using AlignedMemory = std::unique_ptr<void, Aligned>;

inline AlignedMemory aligned(int64_t bytes) {
  return AlignedMemory(::operator new(static_cast<size_t>(bytes), std::align_val_t(64)));
}

// Where a slope jumps, or where linear cells have grown beyond measure, single precision is nothing to compare.
inline bool is_comparable(const Answer& answer) {
  if (answer.nearest_kink < nearest_kink) return false;
  for (const Numbers* numbers : {&answer.values, &answer.d_values, &answer.d_recurrent_kernel, &answer.last[1]})
    for (double number : *numbers)
      if (!(std::fabs(number) < 40)) return false;
  return true;
}

inline void near(const char* path, const char* name, const Array& got, const Numbers& want, double tolerance,
                 const std::string& what) {
  CHECK(got.size() == want.size(), "%s: %zu %s, not %zu", path, got.size(), name, want.size());
  double most = 1;
  for (double number : want) most = std::max(most, std::fabs(number));
  for (size_t at = 0; at < got.size(); ++at)
    CHECK(std::fabs(got[at] - want[at]) <= tolerance * most, "%s: %s[%zu] is %.9g, not %.9g: %s", path, name, at,
          static_cast<double>(got[at]), want[at], what.c_str());
}

}  // namespace everystep
