// The way back through the recurrent loop: gradients of the shares step by step, then one product for each kernel.
#pragma once

#include "loop.h"

namespace everystep::EVERYSTEP_ISA {

// A matrix of `depth` x `columns`, its columns in panels of a few vectors. The depth is what the gradients of shares
// have in a tile: for each vector of units, the lanes of each block.
struct Columns {
  Range vectors;  // of columns
  const float* panels;
  int64_t depth;

  static constexpr int most = 4;

  // work(Constant<vectors>, first vector, panel)
  template <class Work>
  void each(Work&& work) const {
    const float* panel = panels;
    in_blocks<most>(vectors.first, vectors.last, [&](auto count, int64_t vector) {
      work(count, vector, panel);
      panel += depth * count() * lanes;
    });
  }
};

template <class C, class Activations>
class Backward : Run<C> {
 public:
  Backward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const float* kernel,
           const float* recurrent_kernel, const Outputs& outputs, const Cotangents& cotangents,
           const Gradients& gradients, Team& team)
      : Run<C>(setting, sizes, inputs, outputs, team),
        activations_(setting),
        kernel_(kernel),
        recurrent_kernel_(recurrent_kernel),
        given_(cotangents),
        gradients_(gradients),
        d_shares_(this->scratch(shares_gradients, this->vectors_ * plan_.size() * C::width * lanes)),
        d_hidden_(this->scratch(states, 2 * sizes.batch * pitch_)),
        d_cell_(d_hidden_ + sizes.batch * pitch_),
        d_state_(this->scratch(between, two_products<C> ? sizes.batch * pitch_ : 0)),
        state_panels_(this->scratch(state_panels, pitch_ * depth(C::state_blocks))),
        second_panels_(this->scratch(second_panels, pitch_ * depth(second_blocks))),
        input_panels_(this->scratch(input_panels, padded(sizes.features) * depth(C::blocks))),
        strips_(this->scratch(strips, team.size() * strip_floats())) {}

  void operator()() {
    this->team_.run([this](int member) { work(member); });
  }

 private:
  using Run<C>::setting_, Run<C>::sizes_, Run<C>::in_, Run<C>::out_, Run<C>::plan_, Run<C>::pitch_;
  using Own = typename Run<C>::Own;

  static constexpr int second_blocks = C::blocks - C::state_blocks;
  static constexpr int strip_rows = most_rows(C::blocks);
  static constexpr int64_t chunk = 128;  // slots that a product of the kernels' gradients takes at a time

  void work(int member) {
    const Own own = this->own(member);
    start(own, member);
    this->team_.meet();
    for (int64_t turn = plan_.turns() - 1; turn >= 0; --turn) {
      const int64_t begin = plan_.begin(turn, own.group), end = plan_.end(turn, own.group);
      if (!setting_.zero_output && in_.segments != nullptr) take_from_padding(own, plan_.step(turn));
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        for (int64_t slot = begin; slot < end; ++slot) equation(vector, slot);
      this->meet();
      if constexpr (two_products<C>) {
        through_second(own, begin, end);
        this->meet();
      }
      through_state(own, begin, end);
    }
    this->team_.meet();
    finish(own);
    through_inputs(share(plan_.size(), this->team_.size(), member));
    into_kernels(member);
    if (in_.peepholes != nullptr) into_peepholes(share(this->vectors_, this->team_.size(), member));
  }

  // ---- before the first step

  void start(const Own& own, int member) {
    for (int64_t row = own.first_row; row < own.last_row; ++row)
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector) {
        const int64_t unit = vector * lanes;
        store(d_hidden_ + row * pitch_ + unit, this->load_units(given_.last[0] + row * sizes_.units, unit));
        if (C::has_cell_state)
          store(d_cell_ + row * pitch_ + unit, this->load_units(given_.last[1] + row * sizes_.units, unit));
        if (gradients_.dropout != nullptr)
          this->store_units(gradients_.dropout + row * sizes_.units, unit, Floats{});
      }
    // Rows of values at padding have no gradient.
    const Range rows = share(sizes_.batch, this->team_.size(), member);
    if (in_.segments != nullptr)
      std::fill(d_values(rows.first, 0), d_values(rows.last, 0), 0.0f);

    const Range tiles = share(this->vectors_, this->team_.size(), member);
    pack_columns<C::blocks>(tiles, kernel_, C::input_gates, sizes_.features, input_columns());
    const int owners = this->by_units_ ? this->team_.size() : 1;
    for (int owner = 0; owner < owners; ++owner) {
      const Own its = this->own(owner);
      pack_columns<C::state_blocks>(tiles, recurrent_kernel_, C::state_gates, sizes_.units, state_columns(its));
      if constexpr (two_products<C>)
        pack_columns<second_blocks>(tiles, recurrent_kernel_, C::state_gates + C::state_blocks, sizes_.units,
                                    second_columns(its));
    }
  }

  int64_t depth(int blocks) const { return this->vectors_ * blocks * lanes; }
  Columns state_columns(const Own& own) const { return columns(own.vectors, state_panels_, C::state_blocks); }
  Columns second_columns(const Own& own) const { return columns(own.vectors, second_panels_, second_blocks); }
  Columns input_columns() const { return columns({0, vectors_of(sizes_.features)}, input_panels_, C::blocks); }
  Columns columns(Range vectors, const float* panels, int blocks) const {
    return {vectors, panels + vectors.first * lanes * depth(blocks), depth(blocks)};
  }

  // Of the transposed kernel, what belongs to some tiles of units.
  template <int blocks>
  void pack_columns(Range tiles, const float* kernel, const int* gates, int64_t rows, const Columns& columns) {
    const int64_t shares = C::blocks * sizes_.units;
    columns.each([&](auto count, int64_t first, const float* panel) {
      constexpr int64_t width = decltype(count)::value * lanes;
      for (int64_t tile = tiles.first; tile < tiles.last; ++tile)
        for (int block = 0; block < blocks; ++block) {
          float* to = const_cast<float*>(panel) + (tile * blocks + block) * lanes * width;
          for (int64_t column = 0; column < width; ++column) {
            const int64_t row = first * lanes + column;
            const float* from = kernel + row * shares + gates[block] * sizes_.units;
            const Floats units = row < rows ? this->load_units(from, tile * lanes) : Floats{};
            for (int lane = 0; lane < lanes; ++lane) to[lane * width + column] = units[lane];
          }
        }
    });
  }

  // ---- each step

  // An output at padding is the state before it.
  void take_from_padding(const Own& own, int64_t step) {
    for (int64_t row = own.first_row; row < own.last_row; ++row) {
      if (in_.segments[row * sizes_.steps + step] != 0) continue;
      const float* d_output = static_cast<const float*>(given_.values) + (row * sizes_.steps + step) * sizes_.units;
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        add_to(d_hidden_ + row * pitch_ + vector * lanes, this->load_units(d_output, vector * lanes));
    }
  }

  float* d_shares(int64_t vector, int64_t slot) const {
    return d_shares_ + (vector * plan_.size() + slot) * C::width * lanes;
  }

  // Zeros where a sequence starts from zeros.
  Floats hidden_before(const Slot& slot, int64_t unit) const {
    const float* row = Run<C>::hidden_before(slot);
    return row == nullptr ? Floats{} : this->load_units(row, unit);
  }

  Floats cell_before(const Slot& slot, int64_t unit) const {
    if (slot.before >= 0) return load(this->kept_cell(slot.before) + unit);
    if (slot.before == from_zero) return Floats{};
    return this->load_units(in_.initial[1] + slot.row * sizes_.units, unit);
  }

  void equation(int64_t vector, int64_t number) {
    const int64_t unit = vector * lanes;
    const Slot& slot = plan_[number];
    float* d_hidden = d_hidden_ + slot.row * pitch_ + unit;
    float* d_cell = d_cell_ + slot.row * pitch_ + unit;
    const float* d_output = static_cast<const float*>(given_.values) + this->place(slot);

    Floats shares[C::width];
    if (C::keeps_gates)
      for (int v = 0; v < C::width; ++v) shares[v] = load(this->kept_gates(vector, number) + v * lanes);
    BackUnit at{};
    at.d_hidden = load(d_hidden) + this->load_units(d_output, unit);
    if (C::reads_hidden) at.hidden_before = hidden_before(slot, unit);
    if (!C::keeps_gates) at.hidden = this->load_units(this->output(slot), unit);
    if (C::has_cell_state) {
      at.d_cell = load(d_cell);
      at.cell_before = cell_before(slot, unit);
      at.cell = load(this->kept_cell(number) + unit);
    }
    this->see(at, unit);
    C::backward(activations_, shares, at);
    store(d_hidden, at.d_hidden);
    if (C::has_cell_state) store(d_cell, slot.before == from_zero ? Floats{} : at.d_cell);
    for (int v = 0; v < C::width; ++v) store(d_shares(vector, number) + v * lanes, shares[v]);
  }

  // Rows of the gradients of some shares times a packed matrix: consume(slot, vector of columns, sums).
  template <int first_share, int blocks, class Consume>
  void times(const Columns& columns, int64_t begin, int64_t end, Consume&& consume) {
    columns.each([&](auto count, int64_t column, const float* panel) {
      in_blocks<most_rows(Columns::most)>(begin, end, [&](auto rows, int64_t slot) {
        constexpr int vectors = decltype(count)::value, here = decltype(rows)::value;
        Sums<here, vectors> sums;
        sums.clear();
        constexpr int64_t depth = blocks * lanes;
        for (int64_t tile = 0; tile < this->vectors_; ++tile) {
          const float* shares = d_shares(tile, slot) + first_share * lanes;
          multiply<1, 0, vectors>(
              sums, [&](int r) { return shares + r * C::width * lanes; }, panel + tile * depth * vectors * lanes,
              vectors * lanes, depth);
        }
        Floats results[here][vectors];
#pragma GCC unroll 8
        for (int r = 0; r < here; ++r)
#pragma GCC unroll 8
          for (int v = 0; v < vectors; ++v) results[r][v] = sums.at[r][v];
        for (int r = 0; r < here; ++r)
          for (int v = 0; v < vectors; ++v) consume(slot + r, column + v, results[r][v]);
      });
    });
  }

  // The state as the products of a slot had it.
  Floats state_before(const Slot& slot, int64_t unit) const {
    const Floats hidden = hidden_before(slot, unit);
    return in_.dropout == nullptr ? hidden : hidden * this->load_units(in_.dropout + slot.row * sizes_.units, unit);
  }

  void through_second(const Own& own, int64_t begin, int64_t end) {
    times<C::state_blocks, second_blocks>(
        second_columns(own), begin, end, [&](int64_t number, int64_t vector, Floats value) {
          const Slot& slot = plan_[number];
          const int64_t unit = vector * lanes;
          store(d_state_ + slot.row * pitch_ + unit,
                C::back_between(activations_, d_shares(vector, number) + lanes, state_before(slot, unit), value));
        });
  }

  void through_state(const Own& own, int64_t begin, int64_t end) {
    times<C::state_first, C::state_blocks>(
        state_columns(own), begin, end, [&](int64_t number, int64_t vector, Floats value) {
          const Slot& slot = plan_[number];
          const int64_t unit = vector * lanes;
          if (two_products<C>) value += load(d_state_ + slot.row * pitch_ + unit);
          if (in_.dropout != nullptr) {
            float* d_dropout = gradients_.dropout + slot.row * sizes_.units;
            this->store_units(d_dropout, unit,
                              this->load_units(d_dropout, unit) + value * hidden_before(slot, unit));
            value *= this->load_units(in_.dropout + slot.row * sizes_.units, unit);
          }
          float* d_hidden = d_hidden_ + slot.row * pitch_ + unit;
          store(d_hidden, slot.before == from_zero ? Floats{} : load(d_hidden) + value);
        });
  }

  // ---- after the last step

  void finish(const Own& own) {
    for (int64_t row = own.first_row; row < own.last_row; ++row)
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector) {
        const int64_t unit = vector * lanes;
        this->store_units(gradients_.initial[0] + row * sizes_.units, unit, load(d_hidden_ + row * pitch_ + unit));
        if (C::has_cell_state)
          this->store_units(gradients_.initial[1] + row * sizes_.units, unit, load(d_cell_ + row * pitch_ + unit));
      }
  }

  float* d_values(int64_t row, int64_t step) const {
    return static_cast<float*>(gradients_.values) + (row * sizes_.steps + step) * sizes_.features;
  }

  void through_inputs(Range slots) {
    times<C::input_first, C::blocks>(
        input_columns(), slots.first, slots.last, [&](int64_t number, int64_t vector, Floats value) {
          const Slot& slot = plan_[number];
          store(d_values(slot.row, slot.step) + vector * lanes, value, sizes_.features - vector * lanes);
        });
  }

  // Rows of the gradient of the kernel, then of the recurrent one for each of its products, in strips; the last row of
  // each is that of its bias.
  int64_t input_strips() const { return (sizes_.features + strip_rows) / strip_rows; }
  int64_t state_strips() const { return (sizes_.units + strip_rows) / strip_rows; }
  int64_t all_strips() const { return input_strips() + state_strips() * (two_products<C> ? 2 : 1); }
  int64_t strip_floats() const { return all_strips() * strip_rows * chunk + pitch_; }

  void into_kernels(int member) {
    const Range all = share(all_strips(), this->team_.size(), member);
    // Those of the strips [begin, end) that are this member's, counted from `begin`.
    auto own = [&](int64_t begin, int64_t end) {
      return Range{std::clamp(all.first, begin, end) - begin, std::clamp(all.last, begin, end) - begin};
    };
    const int64_t state = input_strips(), second = state + state_strips();
    float* room = strips_ + member * strip_floats();
    float* packed = room + pitch_;
    int64_t first = 0;
    do {
      const int64_t last = std::min(first + chunk, plan_.size());
      into_kernel<C::input_first, C::blocks>(own(0, state), first, last, packed, sizes_.features, C::input_gates,
                                             gradients_.kernel, gradients_.bias,
                                             [&](int64_t slot) { return this->values(plan_[slot]); });
      into_kernel<C::state_first, C::state_blocks>(own(state, second), first, last, packed, sizes_.units,
                                                   C::state_gates, gradients_.recurrent_kernel,
                                                   gradients_.recurrent_bias,
                                                   [&](int64_t slot) { return factor(slot, room); });
      if constexpr (two_products<C>)
        into_kernel<C::state_blocks, second_blocks>(own(second, all_strips()), first, last, packed, sizes_.units,
                                                    C::state_gates + C::state_blocks, gradients_.recurrent_kernel,
                                                    gradients_.recurrent_bias,
                                                    [&](int64_t slot) { return second_factor(slot, room); });
      first = last;
    } while (first < plan_.size());
  }

  void into_peepholes(Range vectors) {
    for (int64_t vector = vectors.first; vector < vectors.last; ++vector) {
      const int64_t unit = vector * lanes;
      Floats input{}, forget{}, output{};
      for (int64_t number = 0; number < plan_.size(); ++number) {
        const float* shares = d_shares(vector, number);
        const Floats before = cell_before(plan_[number], unit);
        input += load(shares) * before;
        forget += load(shares + lanes) * before;
        output += load(shares + (C::width - 1) * lanes) * load(this->kept_cell(number) + unit);
      }
      this->store_units(gradients_.peepholes, unit, input);
      this->store_units(gradients_.peepholes + sizes_.units, unit, forget);
      this->store_units(gradients_.peepholes + 2 * sizes_.units, unit, output);
    }
  }

  // What the product of the state had at a slot, or nullptr for zeros.
  const float* factor(int64_t number, float* room) const {
    const Slot& slot = plan_[number];
    const float* row = Run<C>::hidden_before(slot);
    if (row == nullptr || in_.dropout == nullptr) return row;
    for (int64_t unit = 0; unit < pitch_; unit += lanes) store(room + unit, state_before(slot, unit));
    return room;
  }

  const float* second_factor(int64_t number, float* room) const {
    for (int64_t vector = 0; vector < this->vectors_; ++vector) {
      const Floats reset = load(this->kept_gates(vector, number) + lanes);
      store(room + vector * lanes, reset * state_before(plan_[number], vector * lanes));
    }
    return room;
  }

  // Adds the slots [first, last) to strips of rows of one kernel's gradient; the first slots start it.
  template <int first_share, int blocks, class Row>
  void into_kernel(Range strips, int64_t first, int64_t last, float* packed, int64_t rows, const int* gates,
                   float* gradient, float* bias_gradient, Row&& row) {
    if (strips.first >= strips.last) return;
    pack_strips(strips, first, last, packed, rows, row);
    const int64_t depth = last - first, shares = C::blocks * sizes_.units;
    for (int64_t tile = 0; tile < this->vectors_; ++tile) {
      const int64_t unit = tile * lanes;
      auto place = [&](int64_t r, int block) {
        return (r < rows ? gradient + r * shares : bias_gradient) + gates[block] * sizes_.units;
      };
      for (int64_t strip = strips.first; strip < strips.last; ++strip) {
        const int64_t top = strip * strip_rows;
        with_constant<strip_rows>(std::min<int64_t>(strip_rows, rows + 1 - top), [&](auto count) {
          constexpr int here = decltype(count)::value;
          Sums<here, blocks> sums;
#pragma GCC unroll 8
          for (int r = 0; r < here; ++r)
#pragma GCC unroll 8
            for (int b = 0; b < blocks; ++b)
              sums.at[r][b] = first == 0 ? Floats{} : this->load_units(place(top + r, b), unit);
          const float* a = packed + (strip - strips.first) * strip_rows * chunk;
          multiply<strip_rows, 0, blocks>(
              sums, [&](int r) { return a + r; }, d_shares(tile, first) + first_share * lanes, C::width * lanes, depth);
#pragma GCC unroll 8
          for (int r = 0; r < here; ++r)
#pragma GCC unroll 8
            for (int b = 0; b < blocks; ++b) this->store_units(place(top + r, b), unit, sums.at[r][b]);
        });
      }
    }
  }

  // Rows of values, or of states, a few columns of them side by side; behind the last column a one for the bias.
  template <class Row>
  void pack_strips(Range strips, int64_t first, int64_t last, float* packed, int64_t rows, Row&& row) {
    for (int64_t slot = first; slot < last; ++slot) {
      const float* from = row(slot);
      for (int64_t strip = strips.first; strip < strips.last; ++strip) {
        float* to = packed + ((strip - strips.first) * chunk + slot - first) * strip_rows;
        for (int r = 0; r < strip_rows; ++r) {
          const int64_t column = strip * strip_rows + r;
          to[r] = column < rows ? (from == nullptr ? 0 : from[column]) : column == rows ? 1 : 0;
        }
      }
    }
  }

  Activations activations_;
  const float *kernel_, *recurrent_kernel_;
  const Cotangents& given_;
  const Gradients& gradients_;
  float *d_shares_, *d_hidden_, *d_cell_, *d_state_, *state_panels_, *second_panels_, *input_panels_, *strips_;
};

}  // namespace everystep::EVERYSTEP_ISA
