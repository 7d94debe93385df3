// The recurrent loop once more, one number at a time in double precision: what the native one is held to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "recurrent.h"

namespace everystep {

using Numbers = std::vector<double>;

// All arrays of a problem and of its answer, as recurrent.h has them; empty stands for one that is not there.
struct Problem {
  Setting setting;
  Sizes sizes;
  Numbers values, kernel, recurrent_kernel, bias, recurrent_bias, peepholes, dropout, initial[2];
  std::vector<int32_t> segments;
  Numbers d_values, d_last[2];  // cotangents of outputs and of last states

  int blocks() const { return setting.cell == Cell::simple ? 1 : setting.cell == Cell::lstm ? 4 : 3; }
  int states() const { return setting.cell == Cell::lstm ? 2 : 1; }
  int64_t shares() const { return blocks() * sizes.units; }
  bool is_real(int64_t row, int64_t step) const {
    return segments.empty() || segments[static_cast<size_t>(row * sizes.steps + step)] != 0;
  }
};

struct Answer {
  Numbers values, last[2];
  Numbers d_values, d_kernel, d_recurrent_kernel, d_bias, d_recurrent_bias, d_peepholes, d_initial[2], d_dropout;
  double nearest_kink = 1e300;  // how near an activation came to a place where it has no slope
};

class Reference {
 public:
  explicit Reference(const Problem& problem) : p_(problem), units_(size(problem.sizes.units)) {}

  Answer solve() {
    const size_t batch = size(p_.sizes.batch), steps = size(p_.sizes.steps);
    a_.values.assign(batch * steps * units_, 0);
    a_.d_values.assign(p_.values.size(), 0);
    a_.d_kernel.assign(p_.kernel.size(), 0);
    a_.d_recurrent_kernel.assign(p_.recurrent_kernel.size(), 0);
    a_.d_bias.assign(size(p_.shares()), 0);
    a_.d_recurrent_bias.assign(size(p_.shares()), 0);
    a_.d_peepholes.assign(p_.peepholes.size(), 0);
    a_.d_dropout.assign(p_.dropout.size(), 0);
    for (int state = 0; state < p_.states(); ++state) a_.last[state] = a_.d_initial[state] = p_.initial[state];
    for (size_t row = 0; row < batch; ++row) solve_row(row);
    return a_;
  }

 private:
  // One step of one row: the states it starts from, and its gates.
  struct Step {
    size_t step;
    bool real, reset;
    Numbers h, c, dropped, gates, of_state, new_c;
  };

  static size_t size(int64_t number) { return static_cast<size_t>(number); }

  double apply(Function which, double x) {
    switch (which) {
      case Function::linear: return x;
      case Function::tanh: return std::tanh(x);
      case Function::sigmoid: return 1 / (1 + std::exp(-x));
      case Function::relu: a_.nearest_kink = std::min(a_.nearest_kink, std::fabs(x)); return x > 0 ? x : 0;
      case Function::hard_sigmoid:
        a_.nearest_kink = std::min(a_.nearest_kink, std::fabs(std::fabs(x) - 3));
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 6 + 0.5;
    }
    return x;
  }

  static double slope(Function which, double y) {
    switch (which) {
      case Function::linear: return 1;
      case Function::tanh: return 1 - y * y;
      case Function::sigmoid: return y * (1 - y);
      case Function::relu: return y > 0 ? 1 : 0;
      case Function::hard_sigmoid: return y > 0 && y < 1 ? 1 / 6.0 : 0;
    }
    return 1;
  }

  double gate(double x) { return apply(p_.setting.gate_activation, x); }
  double candidate(double x) { return apply(p_.setting.activation, x); }
  double gate_slope(double y) const { return slope(p_.setting.gate_activation, y); }
  double candidate_slope(double y) const { return slope(p_.setting.activation, y); }

  // The number of a block's share for a unit.
  size_t share(int block, size_t unit) const { return static_cast<size_t>(block) * units_ + unit; }
  static double or_zero(const Numbers& numbers, size_t at) { return numbers.empty() ? 0 : numbers[at]; }

  double input_share(size_t row, size_t step, size_t share) const {
    const size_t features = size(p_.sizes.features), shares = size(p_.shares());
    double sum = or_zero(p_.bias, share);
    for (size_t f = 0; f < features; ++f)
      sum += p_.values[(row * size(p_.sizes.steps) + step) * features + f] * p_.kernel[f * shares + share];
    return sum;
  }

  double state_share(const Numbers& state, size_t share) const {
    double sum = or_zero(p_.recurrent_bias, share);
    for (size_t u = 0; u < units_; ++u) sum += state[u] * p_.recurrent_kernel[u * size(p_.shares()) + share];
    return sum;
  }

  void solve_row(size_t row) {
    const size_t steps = size(p_.sizes.steps), first = row * units_;
    Numbers h(p_.initial[0].begin() + static_cast<std::ptrdiff_t>(first),
              p_.initial[0].begin() + static_cast<std::ptrdiff_t>(first + units_));
    Numbers c(units_);
    if (p_.states() == 2) c.assign(p_.initial[1].begin() + static_cast<std::ptrdiff_t>(first),
                                   p_.initial[1].begin() + static_cast<std::ptrdiff_t>(first + units_));
    std::vector<Step> done;
    bool any = false;
    int32_t before = 0;
    for (size_t turn = 0; turn < steps; ++turn) {
      Step now{};
      now.step = p_.setting.reverse ? steps - 1 - turn : turn;
      now.real = p_.is_real(static_cast<int64_t>(row), static_cast<int64_t>(now.step));
      double* out = &a_.values[(row * steps + now.step) * units_];
      if (now.real) {
        const int32_t here = p_.segments.empty() ? 1 : p_.segments[row * steps + now.step];
        now.reset = p_.setting.packed_rows && any && here != before;
        if (now.reset) {
          h.assign(units_, 0);
          c.assign(units_, 0);
        }
        any = true;
        before = here;
        forward(row, now, h, c);
      }
      for (size_t u = 0; u < units_; ++u) out[u] = now.real || !p_.setting.zero_output ? h[u] : 0;
      done.push_back(now);
    }
    for (size_t u = 0; u < units_; ++u) {
      a_.last[0][first + u] = h[u];
      if (p_.states() == 2) a_.last[1][first + u] = c[u];
    }

    Numbers dh(units_), dc(units_);
    for (size_t u = 0; u < units_; ++u) {
      dh[u] = p_.d_last[0][first + u];
      if (p_.states() == 2) dc[u] = p_.d_last[1][first + u];
    }
    for (size_t turn = steps; turn-- > 0;) {
      const Step& now = done[turn];
      if (now.real || !p_.setting.zero_output)
        for (size_t u = 0; u < units_; ++u) dh[u] += p_.d_values[(row * steps + now.step) * units_ + u];
      if (!now.real) continue;
      backward(row, now, dh, dc);
      if (now.reset) {
        dh.assign(units_, 0);
        dc.assign(units_, 0);
      }
    }
    for (size_t u = 0; u < units_; ++u) {
      a_.d_initial[0][first + u] = dh[u];
      if (p_.states() == 2) a_.d_initial[1][first + u] = dc[u];
    }
  }

  // States become the new ones.
  void forward(size_t row, Step& now, Numbers& h, Numbers& c) {
    now.h = h;
    now.c = c;
    now.dropped = h;
    for (size_t u = 0; u < units_ && !p_.dropout.empty(); ++u) now.dropped[u] *= p_.dropout[row * units_ + u];
    now.gates.assign(size(p_.shares()), 0);
    auto input = [&](int block, size_t u) { return input_share(row, now.step, share(block, u)); };
    auto state = [&](int block, size_t u) { return state_share(now.dropped, share(block, u)); };
    auto both = [&](int block, size_t u) { return input(block, u) + state(block, u); };
    switch (p_.setting.cell) {
      case Cell::simple:
        for (size_t u = 0; u < units_; ++u) h[u] = now.gates[u] = candidate(both(0, u));
        break;
      case Cell::lstm:
        for (size_t u = 0; u < units_; ++u) {
          auto peep = [&](int which) { return or_zero(p_.peepholes, share(which, u)); };
          const double i = gate(both(0, u) + peep(0) * now.c[u]), f = gate(both(1, u) + peep(1) * now.c[u]);
          const double g = candidate(both(2, u));
          c[u] = f * now.c[u] + i * g;
          const double o = gate(both(3, u) + peep(2) * c[u]);
          h[u] = o * candidate(c[u]);
          const double all[] = {i, f, g, o};
          for (int block = 0; block < 4; ++block) now.gates[share(block, u)] = all[block];
        }
        now.new_c = c;
        break;
      case Cell::gru:
      case Cell::gru_reset_before: {
        const bool after = p_.setting.cell == Cell::gru;
        Numbers reset_state(units_);
        for (size_t u = 0; u < units_; ++u) {
          now.gates[share(0, u)] = gate(both(0, u));
          now.gates[share(1, u)] = gate(both(1, u));
          reset_state[u] = now.gates[share(1, u)] * now.dropped[u];
        }
        now.of_state.assign(units_, 0);
        for (size_t u = 0; u < units_; ++u) {
          const double z = now.gates[share(0, u)], r = now.gates[share(1, u)];
          if (after) now.of_state[u] = state(2, u);
          const double from_state = after ? r * now.of_state[u] : state_share(reset_state, share(2, u));
          const double g = now.gates[share(2, u)] = candidate(input(2, u) + from_state);
          h[u] = z * now.h[u] + (1 - z) * g;
        }
        break;
      }
    }
  }

  // Gradients of the new states become those of the states before.
  void backward(size_t row, const Step& now, Numbers& dh, Numbers& dc) {
    const size_t shares = size(p_.shares());
    Numbers of_input(shares), of_state(shares);  // gradients of the two shares
    Numbers d_before(units_), d_dropped(units_);
    bool reset_before = false;
    for (size_t u = 0; u < units_; ++u) {
      auto at = [&](int block) { return now.gates[share(block, u)]; };
      switch (p_.setting.cell) {
        case Cell::simple: of_input[u] = of_state[u] = dh[u] * candidate_slope(at(0)); break;
        case Cell::lstm: {
          auto peep = [&](int which) { return or_zero(p_.peepholes, share(which, u)); };
          const double i = at(0), f = at(1), g = at(2), o = at(3), shown = apply(p_.setting.activation, now.new_c[u]);
          const double d_o = dh[u] * shown * gate_slope(o);
          const double d_c = dc[u] + dh[u] * o * candidate_slope(shown) + d_o * peep(2);
          const double d_i = d_c * g * gate_slope(i), d_f = d_c * now.c[u] * gate_slope(f);
          const double all[] = {d_i, d_f, d_c * i * candidate_slope(g), d_o};
          for (int block = 0; block < 4; ++block) of_input[share(block, u)] = of_state[share(block, u)] = all[block];
          dc[u] = d_c * f + d_i * peep(0) + d_f * peep(1);
          if (!p_.peepholes.empty()) {
            a_.d_peepholes[share(0, u)] += d_i * now.c[u];
            a_.d_peepholes[share(1, u)] += d_f * now.c[u];
            a_.d_peepholes[share(2, u)] += d_o * now.new_c[u];
          }
          break;
        }
        case Cell::gru:
        case Cell::gru_reset_before: {
          const double z = at(0), r = at(1), g = at(2);
          d_before[u] = dh[u] * z;
          of_input[share(0, u)] = of_state[share(0, u)] = dh[u] * (now.h[u] - g) * gate_slope(z);
          const double d_g = dh[u] * (1 - z) * candidate_slope(g);
          of_input[share(2, u)] = d_g;
          reset_before = p_.setting.cell == Cell::gru_reset_before;
          of_state[share(2, u)] = reset_before ? d_g : d_g * r;
          if (!reset_before)
            of_input[share(1, u)] = of_state[share(1, u)] = d_g * now.of_state[u] * gate_slope(r);
          break;
        }
      }
    }
    if (reset_before) {
      // d (r * dropped), through the candidate's product.
      for (size_t u = 0; u < units_; ++u) {
        double d = 0;
        for (size_t v = 0; v < units_; ++v) d += of_state[share(2, v)] * p_.recurrent_kernel[u * shares + share(2, v)];
        const double r = now.gates[share(1, u)];
        of_input[share(1, u)] = of_state[share(1, u)] = d * now.dropped[u] * gate_slope(r);
        d_dropped[u] += d * r;
      }
    }
    const size_t features = size(p_.sizes.features), slot = row * size(p_.sizes.steps) + now.step;
    for (size_t s = 0; s < shares; ++s) {
      a_.d_bias[s] += of_input[s];
      a_.d_recurrent_bias[s] += of_state[s];
      for (size_t f = 0; f < features; ++f) {
        a_.d_values[slot * features + f] += of_input[s] * p_.kernel[f * shares + s];
        a_.d_kernel[f * shares + s] += of_input[s] * p_.values[slot * features + f];
      }
      const bool second = reset_before && s >= share(2, 0);
      for (size_t u = 0; u < units_; ++u) {
        const double factor = second ? now.gates[share(1, u)] * now.dropped[u] : now.dropped[u];
        a_.d_recurrent_kernel[u * shares + s] += of_state[s] * factor;
        if (!second) d_dropped[u] += of_state[s] * p_.recurrent_kernel[u * shares + s];
      }
    }
    for (size_t u = 0; u < units_; ++u) {
      const double dropout = p_.dropout.empty() ? 1 : p_.dropout[row * units_ + u];
      if (!p_.dropout.empty()) a_.d_dropout[row * units_ + u] += d_dropped[u] * now.h[u];
      dh[u] = d_before[u] + d_dropped[u] * dropout;
    }
  }

  const Problem& p_;
  size_t units_;
  Answer a_;
};

}  // namespace everystep
