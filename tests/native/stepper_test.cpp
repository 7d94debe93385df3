// The stepper on random models and chunks, on each path, against double precision: an embedding or floats, a loop whose
// inputs are multiplied in it or ahead of it, a product and a softmax behind it.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.h"
#include "problems.h"
#include "reference.h"
#include "stepper.h"
#include "team.h"

namespace everystep {
namespace {

// What a stepper can run: one live sequence a row, forwards.
Problem live_problem(uint64_t seed, bool last) {
  Problem p = problem_of(seed);
  p.setting.reverse = p.setting.packed_rows = p.setting.bfloat16 = false;
  if (last) p.setting.zero_output = false;
  p.dropout.clear();
  return p;
}

// The rows of a chunk, (batch, steps, width), of an array of all steps.
template <class Number>
std::vector<Number> cut(const std::vector<Number>& all, const Sizes& sizes, int64_t first, int64_t steps, int64_t width) {
  std::vector<Number> chunk;
  for (int64_t row = 0; row < sizes.batch; ++row) {
    const auto from = all.begin() + (row * sizes.steps + first) * width;
    chunk.insert(chunk.end(), from, from + steps * width);
  }
  return chunk;
}

std::vector<float> single(const Numbers& numbers) { return {numbers.begin(), numbers.end()}; }

// softmax(states @ kernel + bias) of each row of units.
Numbers scores(const Numbers& states, const Numbers& kernel, const Numbers& bias, size_t units) {
  const size_t labels = bias.size();
  Numbers all;
  for (size_t row = 0; row < states.size() / units; ++row) {
    Numbers sums = bias;
    double total = 0;
    for (size_t label = 0; label < labels; ++label) {
      for (size_t u = 0; u < units; ++u) sums[label] += states[row * units + u] * kernel[u * labels + label];
      total += std::exp(sums[label]);
    }
    for (double sum : sums) all.push_back(std::exp(sum) / total);
  }
  return all;
}

// Whether the problem could be compared.
bool test(uint64_t seed) {
  Random random(seed + 1000000);
  const bool last = random.one_in(4), projected = random.one_in(2), embedded = random.one_in(2);
  Problem p = live_problem(seed, last);
  const auto [batch, steps, features, units] = p.sizes;
  if (batch == 0 || steps == 0) return false;
  const std::string what = "seed " + std::to_string(seed) + ", " + described(p) + (last ? ", last" : "") +
                           (projected ? ", projected" : "") + (embedded ? ", embedded" : "");

  // Ids say which rows of a table the inputs are.
  const int64_t count = 1 + random.below(9);
  const Numbers rows = numbers(random, count * features, 1.5);
  std::vector<int32_t> ids;
  for (int64_t slot = 0; slot < batch * steps && embedded; ++slot) {
    ids.push_back(static_cast<int32_t>(random.below(count)));
    std::copy_n(rows.begin() + ids.back() * features, features, p.values.begin() + slot * features);
  }
  const Answer answer = Reference(p).solve();
  if (!is_comparable(answer)) return false;

  const int64_t width = projected ? p.shares() : features;
  Problem table = p;
  table.values = rows;
  table.sizes = {count, 1, features, units};
  const std::vector<float> entries = single(projected ? input_shares(table) : rows);
  const std::vector<float> values = single(projected ? input_shares(p) : p.values);

  const int64_t labels = 1 + random.below(150);
  const Numbers output_kernel = numbers(random, units * labels, 1), output_bias = numbers(random, labels, 1);
  const std::vector<float> dense = single(output_kernel), dense_bias = single(output_bias);
  const Array kernel(p.kernel), recurrent(p.recurrent_kernel), bias = Array::optional(p.bias);
  const Array recurrent_bias = Array::optional(p.recurrent_bias), peepholes = Array::optional(p.peepholes);
  const LoopWeights weights{projected ? nullptr : kernel.floats(), recurrent.floats(), bias.floats(),
                            recurrent_bias.floats(), peepholes.floats()};
  for (const Path* path : paths()) {
    Operations operations;
    if (embedded) operations.push_back(embedding(entries.data(), count, width));
    operations.push_back(loop(*path, p.setting, projected ? 0 : features, units, weights, last));
    operations.push_back(product(dense.data(), dense_bias.data(), units, labels));
    operations.push_back(softmax(labels));

    Stepper stepper(operations, batch);
    for (int state = 0; state < p.states(); ++state) stepper.states()[static_cast<size_t>(state)] = single(p.initial[state]);
    Array got(static_cast<size_t>(batch * (last ? 1 : steps) * labels));
    for (int64_t first = 0, size = 0; first < steps; first += size) {
      size = 1 + random.below(steps - first);
      const std::vector<float> chunk = cut(values, p.sizes, first, size, embedded ? 0 : width);
      std::vector<int32_t> own_ids, segments;
      if (embedded) own_ids = cut(ids, p.sizes, first, size, 1);
      if (!p.segments.empty()) segments = cut(p.segments, p.sizes, first, size, 1);
      const void* inputs = embedded ? static_cast<const void*>(own_ids.data()) : chunk.data();
      const int64_t given = last ? 1 : size;
      Array outputs(static_cast<size_t>(batch * given * labels));
      stepper.run(inputs, p.segments.empty() ? nullptr : segments.data(), size, outputs.floats());
      for (int64_t row = 0; row < batch; ++row)
        std::copy_n(outputs.floats() + row * given * labels, given * labels,
                    got.floats() + (last ? row : row * steps + first) * labels);
    }
    near(path->name, "scores", got,
         scores(last ? answer.last[0] : answer.values, output_kernel, output_bias, static_cast<size_t>(units)), tolerance,
         what);
    for (int state = 0; state < p.states(); ++state) {
      const std::vector<float>& now = stepper.states()[static_cast<size_t>(state)];
      near(path->name, "states", Array(Numbers(now.begin(), now.end())), answer.last[state], tolerance, what);
    }

    if (!embedded) continue;
    const std::vector<std::vector<float>> before = stepper.states();
    std::vector<int32_t> wrong(static_cast<size_t>(batch), static_cast<int32_t>(random.one_in(2) ? count : -1));
    Array none(static_cast<size_t>(batch * labels));
    bool refused = false;
    try {
      stepper.run(wrong.data(), nullptr, 1, none.floats());
    } catch (const std::out_of_range&) {
      refused = true;
    }
    CHECK(refused && stepper.states() == before, "%s: an id that is not in the table: %s", path->name, what.c_str());
  }
  return true;
}

}  // namespace
}  // namespace everystep

int main() {
  using namespace everystep;
  set_team_size(3);
  int compared = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) compared += test(seed);
  CHECK(compared >= 100, "only %d problems could be compared", compared);
  std::printf("%d models compared on %zu paths\n", compared, paths().size());
  set_team_size(1);
  Borrowed last(2);  // lets the threads go, so that a sanitizer finds none left
}
