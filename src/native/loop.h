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

EVERYSTEP_INLINE void add_to(float* sum, Floats value) { store(sum, load(sum) + value); }

// Pieces of scratch memory of a run.
enum Scratch {
  biases, peepholes, states, left_sides, projections, between, shares_gradients, state_panels, second_panels,
  input_panels, strips, kernel_sums, pairs
};

// How many factors one tile of both kernels takes, packed: for each step of the depth of the inputs its blocks, then
// for that of the units those of the first product, then those of the second one.
template <class C, class P>
constexpr int64_t packed_tile(const Sizes& sizes) {
  return (P::depth(sizes.features) + P::depth(sizes.units)) * C::blocks * lanes;
}

template <class C, class P>
int64_t packed_bytes(const Sizes& sizes) {
  return vectors_of(sizes.units) * packed_tile<C, P>(sizes) * static_cast<int64_t>(sizeof(typename P::Factor));
}

// The left sides of the products of a slot, where they are copied: the inputs, and behind them the state before it.
template <class P>
struct LeftSide {
  explicit LeftSide(const Sizes& sizes)
      : state(P::copies ? P::depth(sizes.features) : 0),
        states(P::depth(padded(sizes.units))),
        pitch(state + states) {}
  int64_t state, states, pitch;  // where the state starts, its factors, all of them
};

// What is kept, each for all slots: gates, cell states, states that outputs do not have as they were, left sides.
template <class C, class P>
struct Kept {
  static constexpr bool states = P::copies && (C::reads_hidden || !C::keeps_gates);

  explicit Kept(const Sizes& sizes) {
    const int64_t slots = sizes.batch * sizes.steps, units = slots * padded(sizes.units);
    cell = C::keeps_gates ? units * C::width : 0;
    hidden = cell + (C::has_cell_state ? units : 0);
    left_sides = hidden + (states ? units : 0);
    floats = left_sides + (P::copies ? slots * LeftSide<P>(sizes).pitch : 0);
  }
  int64_t cell, hidden, left_sides, floats;
};

template <class C, class P>
void pack(const Sizes& sizes, const typename P::Number* kernel, const typename P::Number* recurrent_kernel,
          typename P::Factor* packed, Team& team) {
  const int64_t units = sizes.units, shares = C::blocks * units;
  team.run([&](int member) {
    const Range own = share(vectors_of(units), team.size(), member);
    // Row by row as the kernels lie, since a column of theirs meets another page with each row.
    auto part = [&](const typename P::Number* from, int64_t rows, const int* gates, int blocks,
                    typename P::Factor* to) {
      for (int64_t k = 0; k < P::depth(rows); ++k)
        for (int64_t tile = own.first; tile < own.last; ++tile)
          for (int block = 0; block < blocks; ++block) {
            Floats numbers[P::numbers] = {};
            for (int i = 0; i < P::numbers; ++i) {
              const int64_t row = k * P::numbers + i;
              if (row < rows)
                numbers[i] = load(from + row * shares + gates[block] * units + tile * lanes, units - tile * lanes);
            }
            const Floats factors = P::across(numbers);
            std::memcpy(to + tile * packed_tile<C, P>(sizes) + (k * blocks + block) * lanes, &factors, sizeof factors);
          }
      return to + P::depth(rows) * blocks * lanes;
    };
    typename P::Factor* to = part(kernel, sizes.features, C::input_gates, C::blocks, packed);
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
template <class C, class P>
class Run {
 protected:
  using Number = typename P::Number;
  using Factor = typename P::Factor;

  Run(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const Outputs& outputs, Team& team)
      : setting_(setting),
        sizes_(sizes),
        in_(inputs),
        out_(outputs),
        team_(team),
        by_units_(divide_units(sizes, team.size())),
        plan_(setting, sizes, inputs.segments, by_units_ ? 1 : team.size()),
        vectors_(vectors_of(sizes.units)),
        pitch_(padded(sizes.units)),
        left_side_(sizes),
        kept_(sizes) {
    if (inputs.peepholes != nullptr) {
      peepholes_ = scratch(peepholes, 3 * pitch_);
      for (int gate = 0; gate < 3; ++gate)
        for (int64_t unit = 0; unit < pitch_; unit += lanes)
          store(peepholes_ + gate * pitch_ + unit, load_units(inputs.peepholes + gate * sizes.units, unit));
    }
    if (P::copies && outputs.kept != nullptr) {
      left_sides_ = reinterpret_cast<Factor*>(outputs.kept + kept_.left_sides);
    } else if (P::copies || inputs.dropout != nullptr) {
      left_sides_ = reinterpret_cast<Factor*>(scratch(left_sides, plan_.size() * left_side_.pitch));
    }
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
  Factor* factors(Scratch which, int64_t count) const {
    static_assert(sizeof(Factor) == sizeof(float));
    return reinterpret_cast<Factor*>(scratch(which, count));
  }

  const Number* values(const Slot& slot) const {
    return static_cast<const Number*>(in_.values) + (slot.row * sizes_.steps + slot.step) * sizes_.features;
  }

  int64_t place(const Slot& slot) const { return (slot.row * sizes_.steps + slot.step) * sizes_.units; }
  Number* output(const Slot& slot) const { return static_cast<Number*>(out_.values) + place(slot); }

  // Numbers of units from `unit` on, of which not all need be there.
  template <class Any>
  Floats load_units(const Any* row, int64_t unit) const {
    return load(row + unit, sizes_.units - unit);
  }
  template <class Any>
  void store_units(Any* row, int64_t unit, Floats value) const {
    store(row + unit, value, sizes_.units - unit);
  }

  // The left side of a slot's products where it is copied, or the state's part of it where there is dropout.
  Factor* left_side(int64_t slot) const { return left_sides_ + slot * left_side_.pitch; }
  Factor* left_state(int64_t slot) const { return left_side(slot) + left_side_.state; }

  // Makes the left sides of some slots: the inputs, and the states that no slot before them makes.
  void fill_left_sides(Range slots) const {
    for (int64_t number = slots.first; number < slots.last; ++number) {
      const Slot& slot = plan_[number];
      if constexpr (P::copies)
        for (int64_t at = 0; at < left_side_.state; at += lanes) {
          const int64_t left = sizes_.features - at * P::numbers;
          const Floats factors = left > 0 ? P::along(values(slot) + at * P::numbers, left) : Floats{};
          std::memcpy(left_side(number) + at, &factors, sizeof(Factor) * std::min<int64_t>(lanes, left_side_.state - at));
        }
      const int64_t width = left_side_.states * P::numbers;
      for (int64_t unit = slot.before >= 0 ? pitch_ : 0; unit < width; unit += lanes) {
        Floats state{};
        if (slot.before == from_initial && unit < pitch_)
          state = dropped(slot, unit, load_units(in_.initial[0] + slot.row * sizes_.units, unit));
        P::put(left_state(number), unit, state);
      }
    }
  }

  Floats dropped(const Slot& slot, int64_t unit, Floats hidden) const {
    return in_.dropout == nullptr ? hidden : hidden * load_units(in_.dropout + slot.row * sizes_.units, unit);
  }

  // The state that a slot starts from, as an array has it: a row of `units`, or nullptr for zeros.
  const float* hidden_row(const Slot& slot) const {
    static_assert(!P::copies);
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
  const float* kept_cell(int64_t slot) const { return out_.kept + kept_.cell + slot * pitch_; }
  const float* kept_hidden(int64_t slot) const { return out_.kept + kept_.hidden + slot * pitch_; }

  const Setting& setting_;
  const Sizes& sizes_;
  const Inputs& in_;
  const Outputs& out_;
  Team& team_;
  bool by_units_;
  Plan plan_;
  int64_t vectors_, pitch_;
  LeftSide<P> left_side_;
  Kept<C, P> kept_;
  float* peepholes_ = nullptr;
  Factor* left_sides_ = nullptr;
};

template <class C, class P>
class Forward : Run<C, P> {
 public:
  using typename Run<C, P>::Factor, typename Run<C, P>::Number;

  Forward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const Factor* packed,
          const Outputs& outputs, Team& team)
      : Run<C, P>(setting, sizes, inputs, outputs, team),
        activations_(setting),
        packed_(packed),
        biases_(this->scratch(biases, (this->vectors_ * C::width + vectors_of(sizes.units)) * lanes)),
        zeros_(biases_ + this->vectors_ * C::width * lanes),
        hidden_(this->scratch(states, 2 * sizes.batch * this->pitch_)),
        cell_(hidden_ + sizes.batch * this->pitch_) {
    // Where a step has few rows, its products only read weights: those of the inputs are read once for many steps. What
    // that writes for each row must cost less, which grows with the rows as what it saves grows with the features.
    if (inputs.projected != nullptr ||
        (this->by_units_ && this->plan_.size() * features_a_row <= sizes.features * this->plan_.turns()))
      projections_ = this->scratch(projections, this->vectors_ * this->plan_.size() * C::width * lanes);
    std::fill_n(zeros_, this->pitch_, 0.0f);
    if (two_products<C>) {
      second_ = this->factors(between, sizes.batch * (this->left_side_.states + this->vectors_ * row_floats));
      pending_ = reinterpret_cast<float*>(second_ + sizes.batch * this->left_side_.states);
      std::fill_n(second_, sizes.batch * this->left_side_.states, Factor{});
    }
  }

  void operator()() {
    this->team_.run([this](int member) { work(member); });
  }

 private:
  using Run<C, P>::setting_, Run<C, P>::sizes_, Run<C, P>::in_, Run<C, P>::out_, Run<C, P>::plan_, Run<C, P>::pitch_;
  using Run<C, P>::left_sides_;
  using typename Run<C, P>::Own;

  static constexpr int64_t features_a_row = 16;  // measured with 128 to 1024 features and 8 to 32 rows
  static constexpr int64_t row_floats = C::width * lanes;

  void work(int member) {
    const Own own = this->own(member);
    P product;
    start(own);
    if (left_sides_ != nullptr) this->fill_left_sides(share(plan_.size(), this->team_.size(), member));
    if (projections_ != nullptr) {
      if (P::copies || !this->by_units_) this->team_.meet();
      if (in_.projected != nullptr) {
        take_projected(own, this->by_units_ ? Range{0, plan_.size()} : share(plan_.size(), this->team_.size(), member));
      } else {
        project(own, product);
      }
    }
    this->team_.meet();
    for (int64_t turn = 0; turn < plan_.turns(); ++turn) {
      const int64_t begin = plan_.begin(turn, own.group), end = plan_.end(turn, own.group);
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        P::template each_block<C::width>(
            begin, end, [&](int rows, int64_t slot) { block(product, vector, rows, slot, own.first_row - begin); });
      if constexpr (two_products<C>) {
        this->meet();
        for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
          P::template each_block<1>(begin, end, [&](int rows, int64_t slot) {
            second_block(product, vector, rows, slot, own.first_row - begin);
          });
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
        float* bias = biases_ + vector * row_floats;
        std::fill_n(bias, row_floats, 0.0f);
        auto add = [&](const float* from, int first, const int (&gates)[C::blocks]) {
          for (int block = 0; from != nullptr && block < C::blocks; ++block)
            add_to(bias + (first + block) * lanes, this->load_units(from + gates[block] * sizes_.units, unit));
        };
        add(in_.bias, C::input_first, C::input_gates);
        add(in_.recurrent_bias, C::state_first, C::state_gates);
      }
      for (int64_t row = own.first_row; row < own.last_row; ++row) {
        store(hidden_ + row * pitch_ + unit, this->load_units(in_.initial[0] + row * sizes_.units, unit));
        if (C::has_cell_state)
          store(cell_ + row * pitch_ + unit, this->load_units(in_.initial[1] + row * sizes_.units, unit));
      }
    }
  }

  // The parts of a block's sums: rows of inputs, and of states, times the panels of a tile.
  auto input_part(int64_t vector, int rows, int64_t first) const {
    const Factor* panel = packed_ + vector * packed_tile<C, P>(sizes_);
    if constexpr (P::copies) {
      return part<C::input_first, C::blocks>(Spaced<Factor>{this->left_side(first), this->left_side_.pitch}, panel,
                                             C::blocks * lanes, P::depth(sizes_.features));
    } else {
      Scattered<Factor> values{};
      for (int r = 0; r < rows; ++r) values.at[r] = this->values(plan_[first + r]);
      return part<C::input_first, C::blocks>(values, panel, C::blocks * lanes, sizes_.features);
    }
  }
  auto state_part(int64_t vector, int rows, int64_t first) const {
    if constexpr (P::copies) {
      return part<C::state_first, C::state_blocks>(Spaced<Factor>{this->left_state(first), this->left_side_.pitch},
                                                   state_panel(vector), C::state_blocks * lanes,
                                                   P::depth(sizes_.units));
    } else {
      Scattered<Factor> states{};
      for (int r = 0; r < rows; ++r) states.at[r] = state_row(first + r);
      return part<C::state_first, C::state_blocks>(states, state_panel(vector), C::state_blocks * lanes, sizes_.units);
    }
  }
  const Factor* state_panel(int64_t vector) const {
    return packed_ + vector * packed_tile<C, P>(sizes_) + P::depth(sizes_.features) * C::blocks * lanes;
  }

  const float* state_row(int64_t number) const {
    if (left_sides_ != nullptr) return this->left_state(number);
    const float* row = this->hidden_row(plan_[number]);
    return row == nullptr ? zeros_ : row;
  }

  float* projection(int64_t vector, int64_t slot) const {
    return projections_ + (vector * plan_.size() + slot) * row_floats;
  }

  // The inputs' part of the shares of the own units, of all steps.
  void project(const Own& own, P& product) {
    for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
      P::template each_block<C::width>(0, plan_.size(), [&](int rows, int64_t slot) {
        product.template sum<C::width>(rows, projection(vector, slot), Start{biases_ + vector * row_floats, 0},
                                       input_part(vector, rows, slot));
      });
  }

  // The same of some slots, where the inputs are shares.
  void take_projected(const Own& own, Range slots) {
    for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
      for (int64_t number = slots.first; number < slots.last; ++number) {
        const Slot& slot = plan_[number];
        const float* given = in_.projected + (slot.row * sizes_.steps + slot.step) * C::blocks * sizes_.units;
        float* to = projection(vector, number);
        std::copy_n(biases_ + vector * row_floats, row_floats, to);
        for (int block = 0; block < C::blocks; ++block)
          add_to(to + (C::input_first + block) * lanes,
                 this->load_units(given + C::input_gates[block] * sizes_.units, vector * lanes));
      }
  }

  void block(P& product, int64_t vector, int rows, int64_t first, int64_t to_row) {
    alignas(64) float shares[P::most_rows(C::width) * row_floats];
    if (projections_ == nullptr) {
      product.template sum<C::width>(rows, shares, Start{biases_ + vector * row_floats, 0}, input_part(vector, rows, first),
                                     state_part(vector, rows, first));
    } else {
      product.template sum<C::width>(rows, shares, Start{projection(vector, first), row_floats},
                                     state_part(vector, rows, first));
    }
    for (int r = 0; r < rows; ++r) {
      Floats own[C::width];
      for (int v = 0; v < C::width; ++v) own[v] = load(shares + r * row_floats + v * lanes, sizes_.units - vector * lanes);
      if constexpr (two_products<C>) {
        const int64_t unit = vector * lanes, row = first + r + to_row;
        const Slot& slot = plan_[first + r];
        Floats state{};
        if (slot.before != from_zero) state = this->dropped(slot, unit, load(hidden_ + slot.row * pitch_ + unit));
        P::put(second(row), unit, activations_([&](const auto& f) { return C::between(f, own, state); }));
        for (int v = 0; v < C::width; ++v) store(pending(vector, row) + v * lanes, own[v]);
      } else {
        equation(vector, first + r, own);
      }
    }
  }

  // What the second product reads, and the shares that wait for it. A step's slots have rows of their own here, one
  // behind the other.
  Factor* second(int64_t row) const { return second_ + row * this->left_side_.states; }
  float* pending(int64_t vector, int64_t row) const { return pending_ + (vector * sizes_.batch + row) * row_floats; }

  void second_block(P& product, int64_t vector, int rows, int64_t first, int64_t to_row) {
    alignas(64) float sums[P::most_rows(1) * lanes];
    const Factor* panel = state_panel(vector) + P::depth(sizes_.units) * C::state_blocks * lanes;
    product.template sum<1>(rows, sums, Start{nullptr, 0},
                            part<0, 1>(Spaced<Factor>{second(first + to_row), this->left_side_.states}, panel, lanes,
                                       P::depth(sizes_.units)));
    for (int r = 0; r < rows; ++r) {
      Floats shares[C::width];
      for (int v = 0; v < C::width; ++v) shares[v] = load(pending(vector, first + r + to_row) + v * lanes);
      shares[C::state_blocks] += load(sums + r * lanes, sizes_.units - vector * lanes);
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
    activations_([&](const auto& f) { C::forward(f, shares, at); });
    store(hidden, at.hidden);
    if (C::has_cell_state) store(cell, at.cell);
    this->store_units(this->output(slot), unit, at.hidden);
    if (left_sides_ != nullptr && slot.after != nobody)
      P::put(this->left_state(slot.after), unit, this->dropped(slot, unit, at.hidden));
    if (out_.kept == nullptr) return;
    if (C::keeps_gates) {
      float* gates = const_cast<float*>(this->kept_gates(vector, number));
      for (int v = 0; v < C::width; ++v) store(gates + v * lanes, shares[v]);
    }
    if (C::has_cell_state) store(const_cast<float*>(this->kept_cell(number)) + unit, at.cell);
    if (this->kept_.states) store(const_cast<float*>(this->kept_hidden(number)) + unit, at.hidden);
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
    Number* outputs = static_cast<Number*>(out_.values) + row * sizes_.steps * sizes_.units + unit;
    const Number* before = nullptr;
    for (int64_t turn = 0; turn < plan_.turns(); ++turn) {
      const int64_t step = plan_.step(turn);
      Number* here = outputs + step * sizes_.units;
      if (in_.segments[row * sizes_.steps + step] == 0) {
        if (setting_.zero_output) {
          std::fill_n(here, count, Number{});
        } else if (before != nullptr) {
          std::copy_n(before, count, here);
        } else {
          const float* initial = in_.initial[0] + row * sizes_.units + unit;
          for (int64_t at = 0; at < count; at += lanes) store(here + at, load(initial + at, count - at), count - at);
        }
      }
      before = here;
    }
  }

  Activations activations_;
  const Factor* packed_;
  float *biases_, *zeros_, *hidden_, *cell_, *projections_ = nullptr, *pending_ = nullptr;
  Factor* second_ = nullptr;
};

}  // namespace everystep::EVERYSTEP_ISA
