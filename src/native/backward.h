// The way back through the recurrent loop: gradients of the shares step by step, then one product for each kernel.
#pragma once

#include "loop.h"

namespace everystep::EVERYSTEP_ISA {

// A matrix of `depth` x `columns`, its columns in panels of a few vectors. The depth is what the gradients of shares
// have in a tile: for each vector of factors of units, the lanes of each block.
template <class Factor>
struct Columns {
  Range vectors;  // of columns
  const Factor* panels;
  int64_t depth;

  static constexpr int most = 4;

  // work(Constant<vectors>, first vector, panel)
  template <class Work>
  void each(Work&& work) const {
    const Factor* panel = panels;
    in_blocks(most, vectors.first, vectors.last, [&](int count, int64_t vector) {
      with_constant<most>(count, [&](auto constant) { work(constant, vector, panel); });
      panel += depth * count * lanes;
    });
  }
};

template <class C, class P>
class Backward : Run<C, P> {
 public:
  using typename Run<C, P>::Factor, typename Run<C, P>::Number;

  Backward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const Number* kernel,
           const Number* recurrent_kernel, const Outputs& outputs, const Cotangents& cotangents,
           const Gradients& gradients, Team& team)
      : Run<C, P>(setting, sizes, inputs, outputs, team),
        activations_(setting),
        kernel_(kernel),
        recurrent_kernel_(recurrent_kernel),
        given_(cotangents),
        gradients_(gradients),
        tiles_((this->vectors_ + P::numbers - 1) / P::numbers),
        d_shares_(this->factors(shares_gradients, tiles_ * plan_.size() * C::width * lanes)),
        d_hidden_(this->scratch(states, 2 * sizes.batch * pitch_)),
        d_cell_(d_hidden_ + sizes.batch * pitch_),
        d_state_(this->scratch(between, two_products<C> ? (sizes.batch + plan_.size()) * pitch_ : 0)),
        second_(reinterpret_cast<Factor*>(d_state_ + sizes.batch * pitch_)),
        state_panels_(this->factors(state_panels, pitch_ * depth(C::state_blocks))),
        second_panels_(this->factors(second_panels, pitch_ * depth(second_blocks))),
        input_panels_(this->factors(input_panels, padded(sizes.features) * depth(C::blocks))),
        strips_(this->factors(strips, team.size() * strip_factors())),
        kernel_sums_(this->scratch(kernel_sums, all_strips() * this->vectors_ * strip_sums)),
        pairs_(this->factors(pairs, team.size() * pairs_factors)) {}

  void operator()() {
    this->team_.run([this](int member) { work(member); });
  }

 private:
  using Run<C, P>::setting_, Run<C, P>::sizes_, Run<C, P>::in_, Run<C, P>::out_, Run<C, P>::plan_, Run<C, P>::pitch_;
  using typename Run<C, P>::Own;

  static constexpr int second_blocks = C::blocks - C::state_blocks;
  // A product of the kernels' gradients takes P::chunk slots at a time.
  static constexpr int strip_rows = P::strip_rows(C::blocks);
  static constexpr int64_t strip_size = strip_rows * P::depth(P::chunk);
  static constexpr int64_t strip_sums = strip_rows * C::blocks * lanes;  // for one vector of units
  static constexpr int64_t pairs_factors = P::numbers == 1 ? 0 : P::depth(P::chunk) * C::blocks * lanes;

  void work(int member) {
    const Own own = this->own(member);
    P product;
    start(own, member);
    this->team_.meet();
    for (int64_t turn = plan_.turns() - 1; turn >= 0; --turn) {
      const int64_t begin = plan_.begin(turn, own.group), end = plan_.end(turn, own.group);
      if (!setting_.zero_output && in_.segments != nullptr) take_from_padding(own, plan_.step(turn));
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        for (int64_t slot = begin; slot < end; ++slot) equation(vector, slot);
      this->meet();
      if constexpr (two_products<C>) {
        through_second(product, own, begin, end);
        this->meet();
      }
      through_state(product, own, begin, end);
    }
    this->team_.meet();
    finish(own);
    through_inputs(product, share(plan_.size(), this->team_.size(), member));
    into_kernels(product, member);
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
      std::fill(d_values(rows.first, 0), d_values(rows.last, 0), Number{});
    if (!P::copies && in_.dropout != nullptr) fill_left_states(share(plan_.size(), this->team_.size(), member));

    const Range tiles = share(tiles_, this->team_.size(), member);
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

  using Panels = Columns<Factor>;
  int64_t depth(int blocks) const { return tiles_ * blocks * lanes; }
  Panels state_columns(const Own& own) const { return columns(own.vectors, state_panels_, C::state_blocks); }
  Panels second_columns(const Own& own) const { return columns(own.vectors, second_panels_, second_blocks); }
  Panels input_columns() const { return columns({0, vectors_of(sizes_.features)}, input_panels_, C::blocks); }
  Panels columns(Range vectors, const Factor* panels, int blocks) const {
    return {vectors, panels + vectors.first * lanes * depth(blocks), depth(blocks)};
  }

  // Of the transposed kernel, what belongs to some tiles of units.
  template <int blocks>
  void pack_columns(Range tiles, const Number* kernel, const int* gates, int64_t rows, const Panels& columns) {
    const int64_t shares = C::blocks * sizes_.units;
    columns.each([&](auto count, int64_t first, const Factor* panel) {
      constexpr int64_t width = decltype(count)::value * lanes;
      for (int64_t tile = tiles.first; tile < tiles.last; ++tile)
        for (int block = 0; block < blocks; ++block)
          for (int64_t column = 0; column < width; column += lanes) {
            const int64_t unit = tile * lanes * P::numbers;
            Floats factors[lanes];
            for (int64_t at = 0; at < lanes; ++at) {
              const int64_t row = first * lanes + column + at;
              const Number* from = kernel + row * shares + gates[block] * sizes_.units + unit;
              factors[at] = row < rows ? P::along(from, sizes_.units - unit) : Floats{};
            }
            transpose(factors);
            Factor* to = const_cast<Factor*>(panel) + (tile * blocks + block) * lanes * width + column;
            for (int k = 0; k < lanes; ++k) std::memcpy(to + k * width, &factors[k], sizeof factors[k]);
          }
    });
  }

  // The states that products have read, from the outputs.
  void fill_left_states(Range slots) {
    for (int64_t number = slots.first; number < slots.last; ++number)
      for (int64_t unit = 0; unit < pitch_; unit += lanes)
        P::put(this->left_state(number), unit, state_before(plan_[number], unit));
  }

  // ---- each step

  // An output at padding is the state before it.
  void take_from_padding(const Own& own, int64_t step) {
    for (int64_t row = own.first_row; row < own.last_row; ++row) {
      if (in_.segments[row * sizes_.steps + step] != 0) continue;
      const Number* d_output = static_cast<const Number*>(given_.values) + (row * sizes_.steps + step) * sizes_.units;
      for (int64_t vector = own.vectors.first; vector < own.vectors.last; ++vector)
        add_to(d_hidden_ + row * pitch_ + vector * lanes, this->load_units(d_output, vector * lanes));
    }
  }

  // A tile's gradients of shares: for each share a vector of factors.
  Factor* d_shares(int64_t tile, int64_t slot) const {
    return d_shares_ + (tile * plan_.size() + slot) * C::width * lanes;
  }
  // Where one vector of units stands in them, in numbers.
  static int64_t within(int64_t vector, int share) {
    return (share * P::numbers + vector % P::numbers) * lanes;
  }

  Floats hidden(int64_t slot, int64_t unit) const {
    if (this->kept_.states) return load(this->kept_hidden(slot) + unit);
    return this->load_units(this->output(plan_[slot]), unit);
  }

  // Zeros where a sequence starts from zeros.
  Floats hidden_before(const Slot& slot, int64_t unit) const {
    if (slot.before == from_zero) return Floats{};
    if (slot.before == from_initial) return this->load_units(in_.initial[0] + slot.row * sizes_.units, unit);
    return hidden(slot.before, unit);
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
    const Number* d_output = static_cast<const Number*>(given_.values) + this->place(slot);

    Floats shares[C::width];
    if (C::keeps_gates)
      for (int v = 0; v < C::width; ++v) shares[v] = load(this->kept_gates(vector, number) + v * lanes);
    BackUnit at{};
    at.d_hidden = load(d_hidden) + this->load_units(d_output, unit);
    if (C::reads_hidden) at.hidden_before = hidden_before(slot, unit);
    if (!C::keeps_gates) at.hidden = hidden(number, unit);
    if (C::has_cell_state) {
      at.d_cell = load(d_cell);
      at.cell_before = cell_before(slot, unit);
      at.cell = load(this->kept_cell(number) + unit);
    }
    this->see(at, unit);
    activations_([&](const auto& f) { C::backward(f, shares, at); });
    store(d_hidden, at.d_hidden);
    if (C::has_cell_state) store(d_cell, slot.before == from_zero ? Floats{} : at.d_cell);
    Factor* to = d_shares(vector / P::numbers, number);
    for (int v = 0; v < C::width; ++v) {
      P::put(to, within(vector, v), shares[v]);
      // What no vector of units fills is zero.
      if (P::numbers > 1 && vector % P::numbers == 0 && vector + 1 == this->vectors_)
        P::put(to, within(vector + 1, v), Floats{});
    }
  }

  // Rows of the gradients of some shares times a packed matrix: consume(slot, vector of columns, sums).
  template <int first_share, int blocks, class Consume>
  void times(P& product, const Panels& columns, int64_t begin, int64_t end, Consume&& consume) {
    columns.each([&](auto count, int64_t column, const Factor* panel) {
      constexpr int vectors = decltype(count)::value;
      P::template each_block<Panels::most>(begin, end, [&](int rows, int64_t slot) {
        alignas(64) float sums[P::most_rows(Panels::most) * vectors * lanes];
        constexpr int64_t depth = blocks * lanes;
        product.template sum<vectors>(
            rows, sums, Start{nullptr, 0},
            part<0, vectors>(Spaced<Factor>{d_shares(0, slot) + first_share * lanes, C::width * lanes}, panel,
                             vectors * lanes, depth, tiles_, plan_.size() * C::width * lanes,
                             depth * vectors * lanes));
        for (int r = 0; r < rows; ++r)
          for (int v = 0; v < vectors; ++v)
            consume(slot + r, column + v, load(sums + (r * vectors + v) * lanes));
      });
    });
  }

  // The state as the products of a slot had it.
  Floats state_before(const Slot& slot, int64_t unit) const {
    return this->dropped(slot, unit, hidden_before(slot, unit));
  }

  // What the second product of a slot had read.
  Factor* second(int64_t slot) const { return second_ + slot * this->left_side_.states; }

  void through_second(P& product, const Own& own, int64_t begin, int64_t end) {
    times<C::state_blocks, second_blocks>(
        product, second_columns(own), begin, end, [&](int64_t number, int64_t vector, Floats value) {
          const int64_t unit = vector * lanes;
          const Floats state = state_before(plan_[number], unit), reset = load(this->kept_gates(vector, number) + lanes);
          P::put(second(number), unit, reset * state);
          P::put(d_shares(vector / P::numbers, number), within(vector, 1),
                 activations_([&](const auto& f) { return C::back_between(f, reset, state, value); }));
          store(d_state_ + plan_[number].row * pitch_ + unit, value * reset);
        });
  }

  void through_state(P& product, const Own& own, int64_t begin, int64_t end) {
    times<C::state_first, C::state_blocks>(
        product, state_columns(own), begin, end, [&](int64_t number, int64_t vector, Floats value) {
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
          fetch_ahead(vector, number - sizes_.batch);
        });
  }

  // What the equations of the next turn will touch is asked for while a product keeps this one busy.
  void fetch_ahead(int64_t vector, int64_t number) const {
    if (number < 0) return;
    const Factor* shares = d_shares(vector / P::numbers, number) + within(vector, 0) / P::numbers;
    for (int v = 0; v < C::width; ++v) {
      if (C::keeps_gates) __builtin_prefetch(this->kept_gates(vector, number) + v * lanes, 0, 2);
      __builtin_prefetch(shares + v * lanes, 1, 2);
    }
    if (C::has_cell_state) __builtin_prefetch(this->kept_cell(number) + vector * lanes, 0, 2);
    __builtin_prefetch(static_cast<const Number*>(given_.values) + this->place(plan_[number]) + vector * lanes, 0, 2);
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

  Number* d_values(int64_t row, int64_t step) const {
    return static_cast<Number*>(gradients_.values) + (row * sizes_.steps + step) * sizes_.features;
  }

  void through_inputs(P& product, Range slots) {
    times<C::input_first, C::blocks>(
        product, input_columns(), slots.first, slots.last, [&](int64_t number, int64_t vector, Floats value) {
          const Slot& slot = plan_[number];
          store(d_values(slot.row, slot.step) + vector * lanes, value, sizes_.features - vector * lanes);
        });
  }

  // Rows of the gradient of the kernel, then of the recurrent one for each of its products, in strips; the last row of
  // each is that of its bias.
  int64_t input_strips() const { return (sizes_.features + strip_rows) / strip_rows; }
  int64_t state_strips() const { return (sizes_.units + strip_rows) / strip_rows; }
  int64_t all_strips() const { return input_strips() + state_strips() * (two_products<C> ? 2 : 1); }
  int64_t strip_factors() const { return all_strips() * strip_size; }

  void into_kernels(P& product, int member) {
    const Range all = share(all_strips(), this->team_.size(), member);
    // Those of the strips [begin, end) that are this member's.
    auto own = [&](int64_t begin, int64_t end) {
      return Range{std::clamp(all.first, begin, end), std::clamp(all.last, begin, end)};
    };
    const int64_t state = input_strips(), second = state + state_strips();
    int64_t first = 0;
    do {
      const int64_t last = std::min(first + P::chunk, plan_.size());
      into_kernel<C::input_first, C::blocks>(product, member, own(0, state), 0, first, last, sizes_.features,
                                             C::input_gates, gradients_.kernel, gradients_.bias,
                                             [&](int64_t slot) { return input_row(slot); });
      into_kernel<C::state_first, C::state_blocks>(product, member, own(state, second), state, first, last, sizes_.units,
                                                   C::state_gates, gradients_.recurrent_kernel,
                                                   gradients_.recurrent_bias,
                                                   [&](int64_t slot) { return state_row(slot); });
      if constexpr (two_products<C>)
        into_kernel<C::state_blocks, second_blocks>(product, member, own(second, all_strips()), second, first,
                                                    last, sizes_.units, C::state_gates + C::state_blocks,
                                                    gradients_.recurrent_kernel, gradients_.recurrent_bias,
                                                    [&](int64_t slot) { return this->second(slot); });
      first = last;
    } while (first < plan_.size());
  }

  // What the products of a slot had read, as factors; nullptr for zeros.
  const Factor* input_row(int64_t slot) const {
    if constexpr (P::copies) {
      return this->left_side(slot);
    } else {
      return this->values(plan_[slot]);
    }
  }
  const Factor* state_row(int64_t slot) const {
    if constexpr (P::copies) {
      return this->left_state(slot);
    } else {
      return in_.dropout == nullptr ? this->hidden_row(plan_[slot]) : this->left_state(slot);
    }
  }

  void into_peepholes(Range vectors) {
    for (int64_t vector = vectors.first; vector < vectors.last; ++vector) {
      const int64_t unit = vector * lanes;
      Floats input{}, forget{}, output{};
      for (int64_t number = 0; number < plan_.size(); ++number) {
        const Factor* shares = d_shares(vector / P::numbers, number);
        auto share = [&](int which) { return P::take(shares, within(vector, which)); };
        const Floats before = cell_before(plan_[number], unit);
        input += share(0) * before;
        forget += share(1) * before;
        output += share(C::width - 1) * load(this->kept_cell(number) + unit);
      }
      this->store_units(gradients_.peepholes, unit, input);
      this->store_units(gradients_.peepholes + sizes_.units, unit, forget);
      this->store_units(gradients_.peepholes + 2 * sizes_.units, unit, output);
    }
  }

  // Adds the slots [first, last) to strips of rows of one kernel's gradient, whose strips begin at `top`. The first
  // slots start the sums; with the last ones they go where they belong. Until then they lie together: in the gradient
  // the rows of a strip are a kernel's whole width apart, which for many sizes is the same place of the cache.
  template <int first_share, int blocks, class Row>
  void into_kernel(P& product, int member, Range own, int64_t top, int64_t first, int64_t last, int64_t rows,
                   const int* gates, float* gradient, float* bias_gradient, Row&& row) {
    if (own.first >= own.last) return;
    Factor* left = strips_ + member * strip_factors();
    P::template gather<C::blocks>(left, {own.first - top, own.last - top}, rows, last - first,
                                  [&](int64_t slot) { return row(first + slot); });
    for (int64_t vector = 0; vector < this->vectors_; ++vector) {
      const Factor* right = d_shares(vector, first) + first_share * lanes;
      int64_t pitch = C::width * lanes;
      if constexpr (P::numbers > 1) {
        right = weave<blocks>(vector, first_share, first, last, pairs_ + member * pairs_factors);
        pitch = blocks * lanes;
      }
      for (int64_t strip = own.first; strip < own.last; ++strip) {
        const int64_t first_row = (strip - top) * strip_rows;
        const int here = static_cast<int>(std::min<int64_t>(strip_rows, rows + 1 - first_row));
        float* sums = kernel_sums_ + (strip * this->vectors_ + vector) * strip_sums;
        product.template sum<blocks>(
            here, sums, Start{first == 0 ? nullptr : sums, blocks * lanes},
            part<0, blocks, P::strip_stride(C::blocks)>(P::strip(left + (strip - own.first) * strip_size), right, pitch,
                                                        P::depth(last - first)));
        if (last < plan_.size()) continue;
        for (int r = 0; r < here; ++r)
          for (int b = 0; b < blocks; ++b) {
            float* to = first_row + r < rows ? gradient + (first_row + r) * C::blocks * sizes_.units : bias_gradient;
            this->store_units(to + gates[b] * sizes_.units, vector * lanes, load(sums + (r * blocks + b) * lanes));
          }
      }
    }
  }

  // Gradients of shares with two slots to a factor, as a product over slots reads them.
  template <int blocks>
  const Factor* weave(int64_t vector, int first_share, int64_t first, int64_t last, Factor* to) {
    static const Factor none[lanes] = {};
    const int64_t tile = vector / P::numbers, depth = P::depth(last - first);
    for (int64_t k = 0; k < depth; ++k)
      for (int block = 0; block < blocks; ++block) {
        auto half = [&](int64_t slot) {
          return slot < last ? d_shares(tile, slot) + within(vector, first_share + block) / P::numbers : none;
        };
        const Floats factors = P::beside(half(first + P::numbers * k), half(first + P::numbers * k + 1));
        std::memcpy(to + (k * blocks + block) * lanes, &factors, sizeof factors);
      }
    return to;
  }

  Activations activations_;
  const Number *kernel_, *recurrent_kernel_;
  const Cotangents& given_;
  const Gradients& gradients_;
  int64_t tiles_;
  Factor* d_shares_;
  float *d_hidden_, *d_cell_, *d_state_;
  Factor *second_, *state_panels_, *second_panels_, *input_panels_, *strips_;
  float* kernel_sums_;
  Factor* pairs_;
};

}  // namespace everystep::EVERYSTEP_ISA
