// The equations of the cells on vectors of units, forward and backward: all that one cell has and another has not.
//
// A tile is `width` vectors side by side, the shares of its units. The product of the inputs adds up in `blocks` of
// them from `input_first` on, that of the state in `state_blocks` from `state_first` on: the same ones, unless a gate
// tells its two shares apart. Where these are fewer than `blocks`, the rest behind them is a second product, of what
// the cell makes of the state with the first ones. `input_gates` and `state_gates` say which gate of the kernel each is.
#pragma once

#include "functions.h"
#include "recurrent.h"
#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

// Keras's own activations, known when this is compiled.
struct Standard {
  EVERYSTEP_INLINE Floats gate(Floats x) const { return sigmoid(x); }
  EVERYSTEP_INLINE Floats gate_slope(Floats y) const { return slope<Function::sigmoid>(y); }
  EVERYSTEP_INLINE Floats candidate(Floats x) const { return tanh(x); }
  EVERYSTEP_INLINE Floats candidate_slope(Floats y) const { return slope<Function::tanh>(y); }
};

// Any others.
class Chosen {
 public:
  explicit Chosen(const Setting& setting) : activation_(setting.activation), gate_(setting.gate_activation) {}
  Floats gate(Floats x) const { return apply(gate_, x); }
  Floats gate_slope(Floats y) const { return slope_of(gate_, y); }
  Floats candidate(Floats x) const { return apply(activation_, x); }
  Floats candidate_slope(Floats y) const { return slope_of(activation_, y); }

 private:
  static Floats apply(Function which, Floats x) {
    switch (which) {
      case Function::tanh: return activate<Function::tanh>(x);
      case Function::sigmoid: return activate<Function::sigmoid>(x);
      case Function::relu: return activate<Function::relu>(x);
      case Function::hard_sigmoid: return activate<Function::hard_sigmoid>(x);
      case Function::linear: break;
    }
    return x;
  }
  static Floats slope_of(Function which, Floats y) {
    switch (which) {
      case Function::tanh: return slope<Function::tanh>(y);
      case Function::sigmoid: return slope<Function::sigmoid>(y);
      case Function::relu: return slope<Function::relu>(y);
      case Function::hard_sigmoid: return slope<Function::hard_sigmoid>(y);
      case Function::linear: break;
    }
    return splat(1);
  }
  Function activation_, gate_;
};

// The activations of a cell. Only its equation is compiled for both, and nothing around it.
class Activations {
 public:
  explicit Activations(const Setting& setting)
      : standard_(setting.activation == Function::tanh && setting.gate_activation == Function::sigmoid),
        chosen_(setting) {}

  // work(the activations), and what it gives.
  template <class Work>
  EVERYSTEP_INLINE auto operator()(Work&& work) const {
    return standard_ ? work(Standard{}) : work(chosen_);
  }

 private:
  bool standard_;
  Chosen chosen_;
};

// What one vector of units has at one step. Equations read and write it; the loop puts it where it belongs.
struct Unit {
  Floats hidden, cell;        // before the step, then after it
  const float* peepholes[3];  // of these units, or nullptr
};

// And on the way back: gradients of what the step gave, then of what it was given.
struct BackUnit {
  Floats d_hidden, d_cell;
  Floats hidden_before, hidden;  // before and after the step
  Floats cell_before, cell;
  const float* peepholes[3];
};

struct SimpleCell {
  static constexpr Cell cell = Cell::simple;
  static constexpr int blocks = 1, state_blocks = 1, width = 1, input_first = 0, state_first = 0;
  static constexpr int input_gates[] = {0};
  static constexpr int state_gates[] = {0};
  static constexpr bool has_cell_state = false, keeps_gates = false, reads_hidden = false;

  // shares[width] -> what is kept of them; unit.hidden and unit.cell become the new ones.
  template <class F>
  static EVERYSTEP_INLINE void forward(const F& f, Floats (&shares)[width], Unit& unit) {
    unit.hidden = f.candidate(shares[0]);
  }
  // What was kept -> gradients of the shares; unit.d_hidden becomes what reaches the state past the product.
  template <class F>
  static EVERYSTEP_INLINE void backward(const F& f, Floats (&shares)[width], BackUnit& unit) {
    shares[0] = unit.d_hidden * f.candidate_slope(unit.hidden);
    unit.d_hidden = Floats{};
  }
};

struct LstmCell {
  static constexpr Cell cell = Cell::lstm;
  static constexpr int blocks = 4, state_blocks = 4, width = 4, input_first = 0, state_first = 0;
  static constexpr int input_gates[] = {0, 1, 2, 3};
  static constexpr int state_gates[] = {0, 1, 2, 3};
  static constexpr bool has_cell_state = true, keeps_gates = true, reads_hidden = false;

  template <class F>
  static EVERYSTEP_INLINE void forward(const F& f, Floats (&shares)[width], Unit& unit) {
    auto& [input, forget, candidate, output] = shares;
    if (unit.peepholes[0] != nullptr) {
      input += load(unit.peepholes[0]) * unit.cell;
      forget += load(unit.peepholes[1]) * unit.cell;
    }
    input = f.gate(input);
    forget = f.gate(forget);
    candidate = f.candidate(candidate);
    unit.cell = forget * unit.cell + input * candidate;
    if (unit.peepholes[0] != nullptr) output += load(unit.peepholes[2]) * unit.cell;
    output = f.gate(output);
    unit.hidden = output * f.candidate(unit.cell);
  }

  template <class F>
  static EVERYSTEP_INLINE void backward(const F& f, Floats (&shares)[width], BackUnit& unit) {
    const auto [input, forget, candidate, output] = shares;
    const Floats shown = f.candidate(unit.cell);
    const Floats d_output = unit.d_hidden * shown * f.gate_slope(output);
    Floats d_cell = unit.d_cell + unit.d_hidden * output * f.candidate_slope(shown);
    if (unit.peepholes[0] != nullptr) d_cell += load(unit.peepholes[2]) * d_output;
    const Floats d_input = d_cell * candidate * f.gate_slope(input);
    const Floats d_forget = d_cell * unit.cell_before * f.gate_slope(forget);
    shares[0] = d_input;
    shares[1] = d_forget;
    shares[2] = d_cell * input * f.candidate_slope(candidate);
    shares[3] = d_output;
    unit.d_cell = d_cell * forget;
    unit.d_hidden = Floats{};
    if (unit.peepholes[0] != nullptr)
      unit.d_cell += load(unit.peepholes[0]) * d_input + load(unit.peepholes[1]) * d_forget;
  }
};

// The reset gate ahead of the product. Shares: update, reset, candidate.
struct ResetBeforeGruCell {
  static constexpr Cell cell = Cell::gru_reset_before;
  static constexpr int blocks = 3, state_blocks = 2, width = 3, input_first = 0, state_first = 0;
  static constexpr int input_gates[] = {0, 1, 2};
  static constexpr int state_gates[] = {0, 1, 2};
  static constexpr bool has_cell_state = false, keeps_gates = true, reads_hidden = true;

  // After the first product: what the second one multiplies, of the state as the first one had it.
  template <class F>
  static EVERYSTEP_INLINE Floats between(const F& f, Floats (&shares)[width], Floats state) {
    shares[0] = f.gate(shares[0]);
    shares[1] = f.gate(shares[1]);
    return shares[1] * state;
  }

  template <class F>
  static EVERYSTEP_INLINE void forward(const F& f, Floats (&shares)[width], Unit& unit) {
    auto& [update, reset, candidate] = shares;
    candidate = f.candidate(candidate);
    unit.hidden = update * unit.hidden + (1 - update) * candidate;
  }

  // The share of the reset gate is left to `back_between`.
  template <class F>
  static EVERYSTEP_INLINE void backward(const F& f, Floats (&shares)[width], BackUnit& unit) {
    const auto [update, reset, candidate] = shares;
    shares[0] = unit.d_hidden * (unit.hidden_before - candidate) * f.gate_slope(update);
    shares[2] = unit.d_hidden * (1 - update) * f.candidate_slope(candidate);
    unit.d_hidden = unit.d_hidden * update;
  }

  // The gradient of what `between` gave -> that of the reset gate's share.
  template <class F>
  static EVERYSTEP_INLINE Floats back_between(const F& f, Floats reset, Floats state, Floats gradient) {
    return gradient * state * f.gate_slope(reset);
  }
};

// Shares: the candidate's of the state, update, reset, the candidate's of the inputs.
struct GruCell {
  static constexpr Cell cell = Cell::gru;
  static constexpr int blocks = 3, state_blocks = 3, width = 4, input_first = 1, state_first = 0;
  static constexpr int input_gates[] = {0, 1, 2};
  static constexpr int state_gates[] = {2, 0, 1};
  static constexpr bool has_cell_state = false, keeps_gates = true, reads_hidden = true;

  template <class F>
  static EVERYSTEP_INLINE void forward(const F& f, Floats (&shares)[width], Unit& unit) {
    auto& [of_state, update, reset, candidate] = shares;
    update = f.gate(update);
    reset = f.gate(reset);
    candidate = f.candidate(candidate + reset * of_state);
    unit.hidden = update * unit.hidden + (1 - update) * candidate;
  }

  template <class F>
  static EVERYSTEP_INLINE void backward(const F& f, Floats (&shares)[width], BackUnit& unit) {
    const auto [of_state, update, reset, candidate] = shares;
    const Floats d_update = unit.d_hidden * (unit.hidden_before - candidate);
    const Floats d_candidate = unit.d_hidden * (1 - update) * f.candidate_slope(candidate);
    shares[0] = d_candidate * reset;
    shares[1] = d_update * f.gate_slope(update);
    shares[2] = d_candidate * of_state * f.gate_slope(reset);
    shares[3] = d_candidate;
    unit.d_hidden = unit.d_hidden * update;
  }
};

template <class C>
constexpr bool two_products = C::state_blocks < C::blocks;

}  // namespace everystep::EVERYSTEP_ISA
