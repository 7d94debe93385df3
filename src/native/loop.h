// The recurrent loop over whole sequences, for the instructions that this file is compiled for.
//
// Members of the team divide either the units or the rows. Dividing the units, each reads its own part of the weights
// from its own cache, and all meet after each step; dividing the rows, each goes its own way. A step's tile of shares
// is multiplied and put through the cell's equation while it is in registers and in the nearest cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cells.h"
#include "plan.h"
#include "product.h"
#include "recurrent.h"
#include "team.h"

namespace everystep::EVERYSTEP_ISA {

constexpr int64_t vectors_of(int64_t floats) { return (floats + lanes - 1) / lanes; }
constexpr int64_t padded(int64_t floats) { return vectors_of(floats) * lanes; }

EVERYSTEP_INLINE void add_to(float* sum, Floats value) { store(sum, load(sum) + value); }

// Pieces of scratch memory of a run.
enum Scratch {
  biases, peepholes, states, history, projections, between, shares_gradients, state_panels, second_panels, input_panels,
  strips
};

// How many floats one tile of both kernels takes, packed: for each input its blocks, then for each unit those of the
// first product, then those of the second one.
template <class C>
constexpr int64_t packed_tile(const Sizes& sizes) {
  return (sizes.features + sizes.units) * C::blocks * lanes;
}

template <class C>
int64_t packed_floats(const Sizes& sizes) {
  return vectors_of(sizes.units) * packed_tile<C>(sizes);
}

template <class C>
int64_t kept_floats(const Sizes& sizes) {
  const int64_t slots = sizes.batch * sizes.steps, units = padded(sizes.units);
  return slots * units * ((C::keeps_gates ? C::width : 0) + (C::has_cell_state ? 1 : 0));
}

template <class C>
void pack(const Sizes& sizes, const float* kernel, const float* recurrent_kernel, float* packed, Team& team) {
  const int64_t units = sizes.units, shares = C::blocks * units;
  team.run([&](int member) {
    const Range own = share(vectors_of(units), team.size(), member);
    // Row by row as the kernels lie, since a column of theirs meets another page with each row.
    auto part = [&](const float* from, int64_t rows, const int* gates, int blocks, float* to) {
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t tile = own.first; tile < own.last; ++tile)
          for (int block = 0; block < blocks; ++block)
            store(to + tile * packed_tile<C>(sizes) + (row * blocks + block) * lanes,
                  load(from + row * shares + gates[block] * units + tile * lanes, units - tile * lanes));
      return to + rows * blocks * lanes;
    };
    float* to = part(kernel, sizes.features, C::input_gates, C::blocks, packed);
    to = part(recurrent_kernel, units, C::state_gates, C::state_blocks, to);
    part(recurrent_kernel, units, C::state_gates + C::state_blocks, C::blocks - C::state_blocks, to);
  });
}

// Whether members divide the units: then all of them, where there are enough; else the rows.
inline bool divide_units(const Sizes& sizes, int members) {
  auto idle = [&](int64_t parts) {
    const int64_t most = (parts + members - 1) / members;
    return static_cast<double>(most * members) / static_cast<double>(std::max<int64_t>(parts, 1));
  };
  return members == 1 || idle(vectors_of(sizes.units)) <= idle(sizes.batch);
}

// What forward and backward know alike.
template <class C>
class Run {
 protected:
  Run(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const Outputs& outputs, Team& team)
      : setting_(setting),
        sizes_(sizes),
        in_(inputs),
        out_(outputs),
        team_(team),
        by_units_(divide_units(sizes, team.size())),
        plan_(setting, sizes, inputs.segments, by_units_ ? 1 : team.size()),
        vectors_(vectors_of(sizes.units)),
        pitch_(padded(sizes.units)) {
    if (inputs.peepholes == nullptr) return;
    peepholes_ = scratch(peepholes, 3 * pitch_);
    for (int gate = 0; gate < 3; ++gate)
      for (int64_t unit = 0; unit < pitch_; unit += lanes)
        store(peepholes_ + gate * pitch_ + unit, load_units(inputs.peepholes + gate * sizes.units, unit));
  }

  // What one member does: these vectors of units for the rows of this group.
  struct Own {
    Range vectors;
    int group;
    int64_t first_row, last_row;
  };

  Own own(int member) const {
    const int group = by_units_ ? 0 : member;
    const Range all{0, vectors_};
    return {by_units_ ? share(vectors_, team_.size(), member) : all, group, plan_.first_row(group),
            plan_.first_row(group + 1)};
  }

  void meet() const {
    if (by_units_) team_.meet();
  }

  float* scratch(Scratch which, int64_t floats) const {
    return static_cast<float*>(team_.scratch(which, sizeof(float) * static_cast<size_t>(floats)));
  }

  const float* values(const Slot& slot) const {
    return static_cast<const float*>(in_.values) + (slot.row * sizes_.steps + slot.step) * sizes_.features;
  }

  int64_t place(const Slot& slot) const { return (slot.row * sizes_.steps + slot.step) * sizes_.units; }
  float* output(const Slot& slot) const { return static_cast<float*>(out_.values) + place(slot); }

  // Numbers of units from `unit` on, of which not all need be there.
  Floats load_units(const float* row, int64_t unit) const { return load(row + unit, sizes_.units - unit); }
  void store_units(float* row, int64_t unit, Floats value) const { store(row + unit, value, sizes_.units - unit); }

  // The state that a slot starts from: a row of `units`, or nullptr for zeros.
  const float* hidden_before(const Slot& slot) const {
    if (slot.before >= 0) return output(plan_[slot.before]);
    return slot.before == from_initial ? in_.initial[0] + slot.row * sizes_.units : nullptr;
  }

  // Gives an equation its peepholes, if there are any.
  template <class Unit>
  void see(Unit& at, int64_t unit) const {
    for (int gate = 0; gate < 3; ++gate)
      at.peepholes[gate] = peepholes_ == nullptr ? nullptr : peepholes_ + gate * pitch_ + unit;
  }

  const float* kept_gates(int64_t vector, int64_t slot) const {
    return out_.kept + (vector * sizes_.batch * sizes_.steps + slot) * C::width * lanes;
  }

  const float* kept_cell(int64_t slot) const {
    const int64_t gates = C::keeps_gates ? C::width : 0;
    return out_.kept + (sizes_.batch * sizes_.steps * gates + slot) * pitch_;
  }

  const Setting& setting_;
  const Sizes& sizes_;
  const Inputs& in_;
  const Outputs& out_;
  Team& team_;
  bool by_units_;
  Plan plan_;
  int64_t vectors_, pitch_;
  float* peepholes_ = nullptr;
};

template <class C, class Activations>
class Forward : Run<C> {
 public:
  Forward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const float* packed, const Outputs& outputs,
          Team& team)
      : Run<C>(setting, sizes, inputs, outputs, team),
        activations_(setting),
        packed_(packed),
        biases_(this->scratch(biases, this->vectors_ * C::width * lanes)),
        hidden_(this->scratch(states, 2 * sizes.batch * this->pitch_)),
        cell_(hidden_ + sizes.batch * this->pitch_) {
    // Where a step has few rows, its products only read weights: those of the inputs are read once for many steps.
    if (this->by_units_ && this->plan_.size() < few_rows * this->plan_.turns())
      projections_ = this->scratch(projections, this->vectors_ * this->plan_.size() * C::width * lanes);
    // Rows of zeros, of first states and of the state after each slot, as the products read them.
    const int64_t rows = inputs.dropout == nullptr ? 1 : 1 + sizes.batch + this->plan_.size();
    zeros_ = this->scratch(history, rows * this->pitch_);
    first_ = zeros_ + this->pitch_;
    history_ = first_ + sizes.batch * this->pitch_;
    std::fill_n(zeros_, this->pitch_, 0.0f);
    if (two_products<C>) {
      second_ = this->scratch(between, sizes.batch * this->pitch_ * (1 + C::width));
      pending_ = second_ + sizes.batch * this->pitch_;
    }
  }

  void operator()() {
    this->team_.run([this](int member) { work(member); });
  }

 private:
  using Run<C>::setting_, Run<C>::sizes_, Run<C>::in_, Run<C>::out_, Run<C>::plan_, Run<C>::pitch_;
  using Own = typename Run<C>::Own;

  static constexpr int few_rows = 4;

  void work(int member) {
    const Own own = this->own(member);
    start(own);
    if (projections_ != nullptr) project(own);
    this->team_.meet();
    for (int64_t turn = 0; turn < plan_.turns(); ++turn) {
      const int64_t begin = plan_.begin(turn, own.group), end = plan_.end(turn, own.group);
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        in_blocks<most_rows(C::width)>(begin, end, [&](auto rows, int64_t slot) { block<rows()>(vector, slot); });
      if constexpr (two_products<C>) {
        this->meet();
        for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
          in_blocks<most_rows(1)>(begin, end, [&](auto rows, int64_t slot) { second_block<rows()>(vector, slot); });
      }
      this->meet();
    }
    finish(own);
  }

  // First states and biases of the own units.
  void start(const Own& own) {
    for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector) {
      const int64_t unit = vector * lanes;
      if (this->by_units_ || own.group == 0) {
        float* bias = biases_ + vector * C::width * lanes;
        std::fill_n(bias, C::width * lanes, 0.0f);
        auto add = [&](const float* from, int first, const int (&gates)[C::blocks]) {
          for (int block = 0; from != nullptr && block < C::blocks; ++block)
            add_to(bias + (first + block) * lanes, this->load_units(from + gates[block] * sizes_.units, unit));
        };
        add(in_.bias, C::input_first, C::input_gates);
        add(in_.recurrent_bias, C::state_first, C::state_gates);
      }
      for (int64_t row = own.first_row; row < own.last_row; ++row) {
        const Floats hidden = this->load_units(in_.initial[0] + row * sizes_.units, unit);
        store(hidden_ + row * pitch_ + unit, hidden);
        if (C::has_cell_state)
          store(cell_ + row * pitch_ + unit, this->load_units(in_.initial[1] + row * sizes_.units, unit));
        if (in_.dropout != nullptr)
          store(first_ + row * pitch_ + unit, hidden * this->load_units(in_.dropout + row * sizes_.units, unit));
      }
    }
  }

  template <int rows>
  EVERYSTEP_INLINE void with_inputs(Sums<rows, C::width>& sums, int64_t vector, const Slot* slots) const {
#pragma GCC unroll 8
    for (int v = 0; v < C::width; ++v) {
      const Floats bias = load(biases_ + (vector * C::width + v) * lanes);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) sums.at[r][v] = bias;
    }
    multiply<1, C::input_first, C::blocks>(
        sums, [&](int r) { return this->values(slots[r]); }, packed_ + vector * packed_tile<C>(sizes_),
        C::blocks * lanes, sizes_.features);
  }

  float* projection(int64_t vector, int64_t slot) const {
    return projections_ + (vector * plan_.size() + slot) * C::width * lanes;
  }

  // The shares of the inputs of the own units, of all steps.
  void project(const Own& own) {
    for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
      in_blocks<most_rows(C::width)>(0, plan_.size(), [&](auto rows, int64_t slot) {
        constexpr int here = decltype(rows)::value;
        Sums<here, C::width> sums;
        with_inputs(sums, vector, &plan_[slot]);
#pragma GCC unroll 8
        for (int r = 0; r < here; ++r)
#pragma GCC unroll 8
          for (int v = 0; v < C::width; ++v) store(projection(vector, slot + r) + v * lanes, sums.at[r][v]);
      });
  }

  // The state that the product of a slot reads.
  const float* factor(const Slot& slot) const {
    if (slot.before == from_zero) return zeros_;
    if (in_.dropout == nullptr) return this->hidden_before(slot);
    return slot.before == from_initial ? first_ + slot.row * pitch_ : history_ + slot.before * pitch_;
  }

  template <int rows>
  void block(int64_t vector, int64_t first) {
    const Slot* slots = &plan_[first];
    Floats shares[rows][C::width];
    {
      Sums<rows, C::width> sums;
      if (projections_ == nullptr) {
        with_inputs(sums, vector, slots);
      } else {
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
          for (int v = 0; v < C::width; ++v) sums.at[r][v] = load(projection(vector, first + r) + v * lanes);
      }
      multiply<1, C::state_first, C::state_blocks>(
          sums, [&](int r) { return factor(slots[r]); }, state_panel(vector), C::state_blocks * lanes, sizes_.units);
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < C::width; ++v) shares[r][v] = sums.at[r][v];
    }
    for (int r = 0; r < rows; ++r) {
      if constexpr (two_products<C>) {
        const Slot& slot = slots[r];
        const Floats state = this->load_units(factor(slot), vector * lanes);
        store(second_ + slot.row * pitch_ + vector * lanes, C::between(activations_, shares[r], state));
        for (int v = 0; v < C::width; ++v) store(pending(vector, slot) + v * lanes, shares[r][v]);
      } else {
        equation(vector, first + r, shares[r]);
      }
    }
  }

  const float* state_panel(int64_t vector) const {
    return packed_ + vector * packed_tile<C>(sizes_) + sizes_.features * C::blocks * lanes;
  }

  // Shares that wait for the second product.
  float* pending(int64_t vector, const Slot& slot) const {
    return pending_ + (vector * sizes_.batch + slot.row) * C::width * lanes;
  }

  template <int rows>
  void second_block(int64_t vector, int64_t first) {
    const Slot* slots = &plan_[first];
    Sums<rows, 1> sums;
    sums.clear();
    multiply<1, 0, 1>(
        sums, [&](int r) { return second_ + slots[r].row * pitch_; },
        state_panel(vector) + sizes_.units * C::state_blocks * lanes, lanes, sizes_.units);
    Floats sum[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) sum[r] = sums.at[r][0];
    for (int r = 0; r < rows; ++r) {
      Floats shares[C::width];
      for (int v = 0; v < C::width; ++v) shares[v] = load(pending(vector, slots[r]) + v * lanes);
      shares[C::state_blocks] += sum[r];
      equation(vector, first + r, shares);
    }
  }

  void equation(int64_t vector, int64_t number, Floats (&shares)[C::width]) {
    const int64_t unit = vector * lanes;
    const Slot& slot = plan_[number];
    float* hidden = hidden_ + slot.row * pitch_ + unit;
    float* cell = cell_ + slot.row * pitch_ + unit;
    Unit at{};
    if (slot.before != from_zero) {
      if (C::reads_hidden) at.hidden = load(hidden);
      if (C::has_cell_state) at.cell = load(cell);
    }
    this->see(at, unit);
    C::forward(activations_, shares, at);
    store(hidden, at.hidden);
    if (C::has_cell_state) store(cell, at.cell);
    this->store_units(this->output(slot), unit, at.hidden);
    if (in_.dropout != nullptr) {
      const Floats dropout = this->load_units(in_.dropout + slot.row * sizes_.units, unit);
      store(history_ + number * pitch_ + unit, at.hidden * dropout);
    }
    if (out_.kept == nullptr) return;
    if (C::keeps_gates) {
      float* gates = const_cast<float*>(this->kept_gates(vector, number));
      for (int v = 0; v < C::width; ++v) store(gates + v * lanes, shares[v]);
    }
    if (C::has_cell_state) store(const_cast<float*>(this->kept_cell(number)) + unit, at.cell);
  }

  // Last states of the own units, and what stands at padding.
  void finish(const Own& own) {
    for (int64_t row = own.first_row; row < own.last_row; ++row) {
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector) {
        const int64_t unit = vector * lanes;
        this->store_units(out_.last[0] + row * sizes_.units, unit, load(hidden_ + row * pitch_ + unit));
        if (C::has_cell_state)
          this->store_units(out_.last[1] + row * sizes_.units, unit, load(cell_ + row * pitch_ + unit));
      }
      if (in_.segments != nullptr) fill_padding(own, row);
    }
  }

  void fill_padding(const Own& own, int64_t row) {
    const int64_t unit = own.vectors.first * lanes;
    const int64_t count = std::min(own.vectors.last * lanes, sizes_.units) - unit;
    if (count <= 0) return;
    float* outputs = static_cast<float*>(out_.values) + row * sizes_.steps * sizes_.units + unit;
    const float* before = in_.initial[0] + row * sizes_.units + unit;
    for (int64_t turn = 0; turn < plan_.turns(); ++turn) {
      const int64_t step = plan_.step(turn);
      float* here = outputs + step * sizes_.units;
      if (in_.segments[row * sizes_.steps + step] == 0) {
        if (setting_.zero_output) {
          std::fill_n(here, count, 0.0f);
        } else {
          std::copy_n(before, count, here);
        }
      }
      before = here;
    }
  }

  Activations activations_;
  const float* packed_;
  float *biases_, *hidden_, *cell_, *zeros_, *first_, *history_;
  float *projections_ = nullptr, *second_ = nullptr, *pending_ = nullptr;
};

}  // namespace everystep::EVERYSTEP_ISA
