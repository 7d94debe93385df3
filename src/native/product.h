// The one loop in which nearly all of the time is spent: a few rows times a panel of weights.
//
// A tile of rows x vectors sums stays in registers while the depth is gone through; for each step of it the panel gives
// its vectors and each row one factor, which the multiply reads from memory and spreads by itself. Each sum is one
// chain in the order of the depth, so that its bits depend neither on the rows beside it nor on who computes it.
//
// A factor is what one lane takes for one step of the depth: a float32, or a pair of bfloat16 one behind the other. So
// panels of all kinds of products have one layout, and only their depth differs.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "numbers.h"
#include "plan.h"
#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

constexpr int64_t vectors_of(int64_t numbers) { return (numbers + lanes - 1) / lanes; }
constexpr int64_t padded(int64_t numbers) { return vectors_of(numbers) * lanes; }

template <int value>
using Constant = std::integral_constant<int, value>;

// Calls work(Constant<count>), for a count from 1 to `most`.
template <int most, class Work>
EVERYSTEP_INLINE void with_constant(int64_t count, Work&& work) {
  if constexpr (most > 1) {
    if (count < most) return with_constant<most - 1>(count, std::forward<Work>(work));
  }
  work(Constant<most>{});
}

// Goes through [first, last) in blocks of at most `most`, as equal as can be: work(size, first of block).
template <class Work>
EVERYSTEP_INLINE void in_blocks(int most, int64_t first, int64_t last, Work&& work) {
  for (int64_t blocks = (last - first + most - 1) / most; blocks > 0; --blocks) {
    const int64_t size = (last - first + blocks - 1) / blocks;
    work(static_cast<int>(size), first);
    first += size;
  }
}

// Rows that lie one behind the other.
template <class Factor>
struct Spaced {
  const Factor* first;
  int64_t pitch;
  EVERYSTEP_INLINE const Factor* operator()(int64_t row) const { return first + row * pitch; }
};

// Rows that lie anywhere.
template <class Factor>
struct Scattered {
  const Factor* at[8];
  EVERYSTEP_INLINE const Factor* operator()(int64_t row) const { return at[row]; }
};

// What the sums start from: rows of vectors, the same one for all where the pitch is 0; zeros for nullptr.
struct Start {
  const float* first;
  int64_t pitch;
};

// One of the products that add up: into vectors [first, first + vectors) of the sums go rows x panel. Row r has its
// factors at rows(r)[k * stride], the panel its vectors one behind the other, `pitch` factors from one step of the
// depth to the next. Once more for each of `pieces`, which lie `row_apart` and `panel_apart` factors apart.
template <int first_, int vectors_, class Factor, class Rows, int stride_ = 1>
struct Part {
  static constexpr int first = first_, vectors = vectors_, stride = stride_;
  Rows rows;
  const Factor* panel;
  int64_t pitch, depth, pieces = 1, row_apart = 0, panel_apart = 0;
};

template <int first, int vectors, int stride = 1, class Factor, class Rows>
EVERYSTEP_INLINE Part<first, vectors, Factor, Rows, stride> part(Rows rows, const Factor* panel, int64_t pitch,
                                                                 int64_t depth, int64_t pieces = 1,
                                                                 int64_t row_apart = 0, int64_t panel_apart = 0) {
  return {rows, panel, pitch, depth, pieces, row_apart, panel_apart};
}

// ---- kinds of products: what the arrays hold, and what a factor is

// float32 throughout; products read the arrays as they lie.
struct Single {
  using Number = float;   // of inputs, kernels and outputs
  using Factor = float;
  using Element = float;  // of the `numbers` in a factor
  static constexpr int numbers = 1;
  static constexpr bool copies = false;  // whether the left sides are copied, ahead of the products, to be factors
  static constexpr Element zero = 0, one = 1;

  static const Element* elements(const Factor* row) { return row; }
  static Element* elements(Factor* row) { return row; }

  // A row's numbers [number, number + lanes), and back.
  static EVERYSTEP_INLINE void put(Factor* row, int64_t number, Floats value) { store(row + number, value); }
  static EVERYSTEP_INLINE Floats take(const Factor* row, int64_t number) { return load(row + number); }
  // The factors of a row of an array, up to so many numbers; zeros behind them.
  static EVERYSTEP_INLINE Floats along(const Number* from, int64_t count) { return load(from, count); }
  // Factors of what `numbers` rows have.
  static EVERYSTEP_INLINE Floats across(const Floats (&rows)[numbers]) { return rows[0]; }

  static EVERYSTEP_INLINE Floats spread(Factor factor) { return splat(factor); }
  static EVERYSTEP_INLINE void add(Floats& sum, Floats a, Floats b) { sum += a * b; }
};

// Arrays of bfloat16 where nothing multiplies them: float32 that hold rounded numbers.
struct Widened : Single {
  using Number = Bfloat16;
  static constexpr bool copies = true;
  static EVERYSTEP_INLINE void put(Factor* row, int64_t number, Floats value) { store(row + number, rounded(value)); }
  static EVERYSTEP_INLINE Floats along(const Number* from, int64_t count) { return load(from, count); }
};

// Arrays of bfloat16, multiplied two by two and added up in float32.
struct Paired {
  using Number = Bfloat16;
  struct Factor {
    Bfloat16 of[2];
  };
  using Element = Bfloat16;
  static constexpr int numbers = 2;
  static constexpr bool copies = true;
  static constexpr Element zero{0}, one{0x3f80};

  static const Element* elements(const Factor* row) { return row->of; }
  static Element* elements(Factor* row) { return row->of; }

  static EVERYSTEP_INLINE void put(Factor* row, int64_t number, Floats value) { store(row->of + number, value); }
  static EVERYSTEP_INLINE Floats take(const Factor* row, int64_t number) { return load(row->of + number); }
  static EVERYSTEP_INLINE Floats along(const Number* from, int64_t count) {
    Floats factors = {};
    std::memcpy(&factors, from, sizeof(Number) * static_cast<size_t>(std::min<int64_t>(count, lanes * numbers)));
    return factors;
  }
  static EVERYSTEP_INLINE Floats across(const Floats (&rows)[numbers]) {
    return (Floats)(upper_halves(rows[0]) >> 16 | (upper_halves(rows[1]) & 0xffff0000u));
  }

  // Of two slots, the same `lanes` numbers of each.
  static EVERYSTEP_INLINE Floats beside(const Factor* a, const Factor* b) {
    Halves first, second;
    std::memcpy(&first, a, sizeof first);
    std::memcpy(&second, b, sizeof second);
    return (Floats)(__builtin_convertvector(first, Words) | __builtin_convertvector(second, Words) << 16);
  }

  static EVERYSTEP_INLINE Floats spread(Factor factor) {
    uint32_t bits;
    std::memcpy(&bits, &factor, sizeof bits);
    return (Floats)(bits - Words{});
  }
#ifdef __AVX512BF16__
  static EVERYSTEP_INLINE void add(Floats& sum, Floats a, Floats b) {
    sum = (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
  }
#endif
};

// Products in vector registers. `Kind` says what factors are.
template <class Kind>
class InRegisters : public Kind {
 public:
  using typename Kind::Factor;

  // How many rows a tile of so many vectors has: its sums take three quarters of the registers.
  static constexpr int most_rows(int vectors) { return std::min(EVERYSTEP_REGISTERS * 3 / 4 / vectors, 8); }
  // The rows of the gradient of a kernel that lie side by side in its left side; a factor of one is `strip_stride`
  // from that of the next step of the depth.
  static constexpr int strip_rows(int vectors) { return most_rows(vectors); }
  static constexpr int strip_stride(int vectors) { return most_rows(vectors); }
  static Spaced<Factor> strip(const Factor* first) { return {first, 1}; }
  // How many slots such a product takes at a time.
  static constexpr int64_t chunk = 256 * Kind::numbers;

  // Factors of so many numbers.
  static constexpr int64_t depth(int64_t count) { return (count + Kind::numbers - 1) / Kind::numbers; }

  // Calls work(rows, first) for blocks of rows.
  template <int vectors, class Work>
  static EVERYSTEP_INLINE void each_block(int64_t begin, int64_t end, Work&& work) {
    in_blocks(most_rows(vectors), begin, end, std::forward<Work>(work));
  }

  // `to`, rows of `width` vectors, becomes the start and all parts. A function for each shape, which all cells call:
  // inlined, it would be compiled a hundred times over.
  template <int width, class... Parts>
  __attribute__((noinline)) static void sum(int rows, float* to, Start start, const Parts&... parts) {
    with_constant<most_rows(width)>(rows, [&](auto count) { sum_rows<count(), width>(to, start, parts...); });
  }

  // Strips of `columns` from what row(slot) gives for each of `slots`, or nullptr for zeros; behind the last column a
  // one for the bias. A strip takes strip_rows * chunk numbers.
  template <int vectors, class Row>
  static void gather(Factor* to, Range strips, int64_t columns, int64_t slots, Row&& row) {
    constexpr int rows = strip_rows(vectors);
    for (int64_t k = 0; k < depth(slots); ++k) {
      const typename Kind::Element* from[Kind::numbers] = {};
      for (int i = 0; i < Kind::numbers; ++i)
        if (k * Kind::numbers + i < slots) from[i] = Kind::elements(row(k * Kind::numbers + i));
      for (int64_t strip = strips.first; strip < strips.last; ++strip) {
        Factor* here = to + ((strip - strips.first) * depth(chunk) + k) * rows;
        if ((strip + 1) * rows <= columns && std::find(from, from + Kind::numbers, nullptr) == from + Kind::numbers) {
          for (int r = 0; r < rows; ++r)
            for (int i = 0; i < Kind::numbers; ++i) Kind::elements(here + r)[i] = from[i][strip * rows + r];
          continue;
        }
        for (int r = 0; r < rows; ++r) {
          const int64_t column = strip * rows + r;
          typename Kind::Element* numbers = Kind::elements(here + r);
          for (int i = 0; i < Kind::numbers; ++i)
            numbers[i] = column < columns ? (from[i] == nullptr ? Kind::zero : from[i][column])
                         : column == columns && k * Kind::numbers + i < slots ? Kind::one : Kind::zero;
        }
      }
    }
  }

 private:
  template <int rows, int width, class... Parts>
  static EVERYSTEP_INLINE void sum_rows(float* to, Start start, const Parts&... parts) {
    Floats sums[rows][width];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v)
        sums[r][v] = start.first == nullptr ? Floats{} : load(start.first + r * start.pitch + v * lanes);
    (add<rows, width>(sums, parts), ...);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) store(to + (r * width + v) * lanes, sums[r][v]);
  }

  template <int rows, int width, class Part>
  static EVERYSTEP_INLINE void add(Floats (&sums)[rows][width], const Part& part) {
    const Factor* a[rows];
    for (int r = 0; r < rows; ++r) a[r] = part.rows(r);
    for (int64_t piece = 0; piece < part.pieces; ++piece) {
      const Factor* panel = part.panel + piece * part.panel_apart;
#pragma GCC unroll 2
      for (int64_t k = 0; k < part.depth; ++k) {
        Floats b[Part::vectors];
#pragma GCC unroll 8
        for (int v = 0; v < Part::vectors; ++v) std::memcpy(&b[v], panel + v * lanes, sizeof b[v]);
        panel += part.pitch;
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
          const Floats factor = Kind::spread(a[r][k * Part::stride]);
#pragma GCC unroll 8
          for (int v = 0; v < Part::vectors; ++v) Kind::add(sums[r][Part::first + v], factor, b[v]);
        }
      }
      for (int r = 0; r < rows; ++r) a[r] += part.row_apart;
    }
  }
};

}  // namespace everystep::EVERYSTEP_ISA
