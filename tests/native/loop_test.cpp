// The native loop on random problems, on each path, against double precision: value and gradient, the same bits for
// any number of members and whatever the rows beside a row, and no byte read or written past an array.
//
//   loop_test              a hundred problems
//   loop_test SECONDS SEED more of them, for so long
//   loop_test one SEED     the problem that a failure named
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "problems.h"
#include "recurrent.h"
#include "reference.h"
#include "team.h"

namespace everystep {
namespace {

constexpr double tolerance_of_bfloat16 = 0.1;

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
  const Inputs inputs{x.data(), nullptr, bias.floats(), recurrent_bias.floats(), peepholes.floats(), segments.get(),
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
  const Numbers* const want[arrays] = {&answer.values, &answer.last[0], &answer.last[1], &answer.d_values,
                                       &answer.d_kernel, &answer.d_recurrent_kernel, &answer.d_bias,
                                       &answer.d_recurrent_bias, &answer.d_peepholes, &answer.d_initial[0],
                                       &answer.d_initial[1], &answer.d_dropout};
  for (int array = 0; array < arrays; ++array)
    near(path.name, names[array], result.of[array], *want[array],
         p.setting.bfloat16 ? tolerance_of_bfloat16 : tolerance, what);
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

// The same where the inputs are multiplied ahead of it.
void projected(const Path& path, const Problem& p, const Answer& answer, int members, const std::string& what) {
  Borrowed borrowed(members);
  const Sizes sizes{p.sizes.batch, p.sizes.steps, 0, p.sizes.units};
  const Array shares(input_shares(p)), recurrent(p.recurrent_kernel), bias = Array::optional(p.bias);
  const Array recurrent_bias = Array::optional(p.recurrent_bias), peepholes = Array::optional(p.peepholes);
  const Array dropout = Array::optional(p.dropout), h(p.initial[0]), c(p.initial[1]);
  const Inputs inputs{nullptr, shares.floats(), bias.floats(), recurrent_bias.floats(), peepholes.floats(),
                      p.segments.empty() ? nullptr : p.segments.data(), dropout.floats(),
                      {h.floats(), p.states() == 2 ? c.floats() : nullptr}};
  const AlignedMemory packed = aligned(path.packed_size(p.setting, sizes));
  path.pack(p.setting, sizes, nullptr, recurrent.data(), packed.get(), borrowed.team());
  Array outputs(p.d_values.size()), last_hidden(p.initial[0].size()), last_cell(p.initial[1].size());
  path.forward(p.setting, sizes, inputs, packed.get(),
               {outputs.data(), {last_hidden.floats(), last_cell.floats()}, nullptr}, borrowed.team());
  near(path.name, "values of projected inputs", outputs, answer.values, tolerance, what);
  near(path.name, "last h of projected inputs", last_hidden, answer.last[0], tolerance, what);
  near(path.name, "last c of projected inputs", last_cell, answer.last[1], tolerance, what);
}

// Whether the problem could be compared.
bool test(uint64_t seed) {
  const Problem p = problem_of(seed);
  const std::string what = "seed " + std::to_string(seed) + ", " + described(p);
  const Answer answer = Reference(p).solve();
  if (!is_comparable(answer)) return false;
  for (const Path* path : paths()) {
    const Result first = compute(*path, p, 1);
    compare(*path, p, first, answer, what);
    for (int members = 2; members <= 4; ++members) {
      const Result other = compute(*path, p, members);
      for (int array = 0; array < arrays; ++array)
        CHECK(first.of[array].same_bits(other.of[array]), "%s: %s differ with %d members: %s", path->name, names[array],
              members, what.c_str());
    }
    for (int members = 1; members <= 3 && !p.setting.bfloat16; ++members) projected(*path, p, answer, members, what);
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
