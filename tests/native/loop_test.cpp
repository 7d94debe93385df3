// The native loop on random problems, on each path, against double precision: value and gradient, the same bits for
// any number of members and whatever the rows beside a row, and no byte read or written past an array.
//
//   loop_test              a hundred problems
//   loop_test SECONDS SEED more of them, for so long
//   loop_test one SEED     the problem that a failure named
#include <algorithm>
#include <chrono>
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
#include "team.h"

namespace everystep {
namespace {

// Of the greatest number in an array, or of 1.
constexpr double tolerance = 5e-5, tolerance_of_bfloat16 = 0.1;
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

uint16_t narrowed(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return static_cast<uint16_t>((number == number ? bits + 0x7fff + ((bits >> 16) & 1) : bits) >> 16);
}

float widened(uint16_t number) {
  const uint32_t bits = static_cast<uint32_t>(number) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// ---- problems

Numbers numbers(Random& random, int64_t count, double most) {
  Numbers all(static_cast<size_t>(count));
  for (double& number : all) number = random.number(most);
  return all;
}

// The ids of one row: none, all, a length, padding ahead, gaps; or any ids in any order.
void segment_row(Random& random, int kind, int64_t steps, bool packed, int32_t* row) {
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

Problem problem_of(uint64_t seed) {
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

std::string described(const Problem& p) {
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

AlignedMemory aligned(int64_t bytes) {
  return AlignedMemory(::operator new(static_cast<size_t>(bytes), std::align_val_t(64)));
}

enum Name { values, last_h, last_c, d_values, d_kernel, d_recurrent_kernel, d_bias, d_recurrent_bias, d_peepholes,
            d_initial_h, d_initial_c, d_dropout, arrays };
const char* const names[arrays] = {"values", "last h", "last c", "d values", "d kernel", "d recurrent kernel", "d bias",
                                   "d recurrent bias", "d peepholes", "d initial h", "d initial c", "d dropout"};

struct Result {
  Array of[arrays];
};

Result compute(const Path& path, const Problem& p, int members) {
  Borrowed borrowed(members);
  Team& team = borrowed.team();
  CHECK(team.size() == members, "%d of %d members", team.size(), members);
  const bool narrow = p.setting.bfloat16;
  const Array x(p.values, narrow), kernel(p.kernel, narrow), recurrent(p.recurrent_kernel, narrow);
  const Array bias = Array::optional(p.bias), recurrent_bias = Array::optional(p.recurrent_bias);
  const Array peepholes = Array::optional(p.peepholes), dropout = Array::optional(p.dropout);
  const Array h(p.initial[0]), c(p.initial[1]), h_cotangent(p.d_last[0]), c_cotangent(p.d_last[1]);
  const Array out_cotangent(p.d_values, narrow);
  std::unique_ptr<int32_t[]> segments;
  if (!p.segments.empty()) {
    segments.reset(new int32_t[p.segments.size()]);
    std::copy(p.segments.begin(), p.segments.end(), segments.get());
  }
  const bool cell_state = p.states() == 2;
  const Inputs inputs{x.data(), bias.floats(), recurrent_bias.floats(), peepholes.floats(), segments.get(),
                      dropout.floats(), {h.floats(), cell_state ? c.floats() : nullptr}};

  const AlignedMemory packed = aligned(path.packed_size(p.setting, p.sizes));
  path.pack(p.setting, p.sizes, kernel.data(), recurrent.data(), packed.get(), team);

  Result r;
  const size_t states = p.initial[0].size(), outputs = p.d_values.size();
  r.of[values] = Array(outputs, narrow);
  r.of[last_h] = Array(states);
  r.of[last_c] = Array(cell_state ? states : 0);
  path.forward(p.setting, p.sizes, inputs, packed.get(),
               {r.of[values].data(), {r.of[last_h].floats(), r.of[last_c].floats()}, nullptr}, team);

  Result again;
  again.of[values] = Array(outputs, narrow);
  again.of[last_h] = Array(states);
  again.of[last_c] = Array(cell_state ? states : 0);
  const AlignedMemory kept = aligned(path.kept_size(p.setting, p.sizes) * static_cast<int64_t>(sizeof(float)));
  const Outputs keeping{again.of[values].data(), {again.of[last_h].floats(), again.of[last_c].floats()},
                        static_cast<float*>(kept.get())};
  path.forward(p.setting, p.sizes, inputs, packed.get(), keeping, team);
  for (Name array : {values, last_h, last_c})
    CHECK(r.of[array].same_bits(again.of[array]), "%s: %s differ if the gates are kept", path.name, names[array]);

  r.of[d_values] = Array(p.values.size(), narrow);
  r.of[d_kernel] = Array(p.kernel.size());
  r.of[d_recurrent_kernel] = Array(p.recurrent_kernel.size());
  r.of[d_bias] = Array(static_cast<size_t>(p.shares()));
  r.of[d_recurrent_bias] = Array(static_cast<size_t>(p.shares()));
  r.of[d_peepholes] = p.peepholes.empty() ? Array() : Array(p.peepholes.size());
  r.of[d_initial_h] = Array(states);
  r.of[d_initial_c] = Array(cell_state ? states : 0);
  r.of[d_dropout] = p.dropout.empty() ? Array() : Array(p.dropout.size());
  // Last states are not read on the way back.
  again.of[last_h].fill(nan);
  path.backward(p.setting, p.sizes, inputs, kernel.data(), recurrent.data(), keeping,
                {out_cotangent.data(), {h_cotangent.floats(), c_cotangent.floats()}},
                {r.of[d_values].data(), r.of[d_kernel].floats(), r.of[d_recurrent_kernel].floats(), r.of[d_bias].floats(),
                 r.of[d_recurrent_bias].floats(), r.of[d_peepholes].floats(),
                 {r.of[d_initial_h].floats(), r.of[d_initial_c].floats()}, r.of[d_dropout].floats()},
                team);
  return r;
}

// ---- what must hold

void compare(const Path& path, const Problem& p, const Result& result, const Answer& answer,
             const std::string& what) {
  const double near = p.setting.bfloat16 ? tolerance_of_bfloat16 : tolerance;
  const Numbers* const want[arrays] = {&answer.values, &answer.last[0], &answer.last[1], &answer.d_values,
                                       &answer.d_kernel, &answer.d_recurrent_kernel, &answer.d_bias,
                                       &answer.d_recurrent_bias, &answer.d_peepholes, &answer.d_initial[0],
                                       &answer.d_initial[1], &answer.d_dropout};
  for (int array = 0; array < arrays; ++array) {
    const Array& got = result.of[array];
    CHECK(got.size() == want[array]->size(), "%s: %zu %s, not %zu", path.name, got.size(), names[array],
          want[array]->size());
    double most = 1;
    for (double number : *want[array]) most = std::max(most, std::fabs(number));
    for (size_t at = 0; at < got.size(); ++at) {
      const double right = (*want[array])[at];
      CHECK(std::fabs(got[at] - right) <= near * most, "%s: %s[%zu] is %.9g, not %.9g: %s", path.name,
            names[array], at, static_cast<double>(got[at]), right, what.c_str());
    }
  }
}

// The same problem with one of its rows alone.
Problem only_row(const Problem& p, int64_t row) {
  Problem one = p;
  const int64_t batch = p.sizes.batch;
  one.sizes.batch = 1;
  auto cut = [&](auto& array) {
    const auto each = static_cast<std::ptrdiff_t>(array.size()) / static_cast<std::ptrdiff_t>(batch);
    array.assign(array.begin() + row * each, array.begin() + (row + 1) * each);
  };
  const std::vector<int32_t> segments = p.segments;
  cut(one.values);
  cut(one.dropout);
  cut(one.segments);
  cut(one.d_values);
  for (int state = 0; state < 2; ++state) {
    cut(one.initial[state]);
    cut(one.d_last[state]);
  }
  return one;
}

void row_alone(const Path& path, const Problem& p, const Result& all, int64_t row, const std::string& what) {
  const Result alone = compute(path, only_row(p, row), 1);
  for (Name array : {values, last_h, last_c, d_values, d_initial_h, d_initial_c, d_dropout}) {
    const size_t each = alone.of[array].bytes();
    if (each == 0) continue;
    const char* of_row = static_cast<const char*>(all.of[array].data()) + static_cast<size_t>(row) * each;
    CHECK(!std::memcmp(alone.of[array].data(), of_row, each),
          "%s: %s of row %d differ from those of the row alone: %s", path.name, names[array], static_cast<int>(row),
          what.c_str());
  }
}

// Whether the problem could be compared.
bool test(uint64_t seed) {
  const Problem p = problem_of(seed);
  const std::string what = "seed " + std::to_string(seed) + ", " + described(p);
  const Answer answer = Reference(p).solve();
  // Where a slope jumps, or where linear cells have grown beyond measure, single precision is nothing to compare.
  if (answer.nearest_kink < nearest_kink) return false;
  for (const Numbers* numbers : {&answer.values, &answer.d_values, &answer.d_recurrent_kernel, &answer.last[1]})
    for (double number : *numbers)
      if (!(std::fabs(number) < 40)) return false;
  for (const Path* path : paths()) {
    const Result first = compute(*path, p, 1);
    compare(*path, p, first, answer, what);
    for (int members = 2; members <= 4; ++members) {
      const Result other = compute(*path, p, members);
      for (int array = 0; array < arrays; ++array)
        CHECK(first.of[array].same_bits(other.of[array]), "%s: %s differ with %d members: %s", path->name, names[array],
              members, what.c_str());
    }
    if (p.sizes.batch > 1) row_alone(*path, p, first, static_cast<int64_t>(seed) % p.sizes.batch, what);
  }
  return true;
}

}  // namespace
}  // namespace everystep

int main(int count, char** arguments) {
  using namespace everystep;
  set_team_size(4);
  int compared = 0;
  if (count == 3 && !std::strcmp(arguments[1], "one")) {
    compared += test(std::strtoull(arguments[2], nullptr, 10));
  } else if (count == 3) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::seconds(std::atoi(arguments[1]));
    for (uint64_t seed = std::strtoull(arguments[2], nullptr, 10); Clock::now() < end; ++seed) compared += test(seed);
  } else {
    for (uint64_t seed = 1; seed <= 100; ++seed) compared += test(seed);
    CHECK(compared >= 70, "only %d problems could be compared", compared);
  }
  std::printf("%d problems compared on %zu paths\n", compared, paths().size());
  set_team_size(1);
  Borrowed last(2);  // lets the threads go, so that a sanitizer finds none left
}
