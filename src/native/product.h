// The one loop in which nearly all of the time is spent: a few rows times a panel of weights.
//
// A tile of `rows` x `vectors` sums stays in registers while the depth is gone through; for each step of it the
// panel gives its vectors and each row one number, which the multiply reads from memory and spreads by itself. Each
// sum is one chain in the order of the depth, so that its bits depend neither on the rows beside it nor on who
// computes it.
#pragma once

#include <type_traits>
#include <utility>

#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

// How many rows a tile of so many vectors has: its sums take three quarters of the registers.
constexpr int most_rows(int vectors) {
  int rows = EVERYSTEP_REGISTERS * 3 / 4 / vectors;
  return rows > 8 ? 8 : rows;
}

template <int rows, int vectors>
struct Sums {
  Floats at[rows][vectors];

  EVERYSTEP_INLINE void clear() {
    for (auto& row : at)
      for (auto& sum : row) sum = Floats{};
  }
};

// sums[.][first + v] += a x panel for v below `vectors`, where row r of a has its numbers at row(r)[k * stride] and
// the panel its vectors one behind the other, `pitch` floats from one step of the depth to the next.
template <int stride, int first, int vectors, int rows, int width, class Row>
EVERYSTEP_INLINE void multiply(Sums<rows, width>& sums, Row&& row, const float* panel, int64_t pitch, int64_t depth) {
  const float* a[rows];
  for (int r = 0; r < rows; ++r) a[r] = row(r);
#pragma GCC unroll 2
  for (int64_t k = 0; k < depth; ++k) {
    Floats b[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) b[v] = load(panel + v * lanes);
    panel += pitch;
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const Floats number = splat(a[r][k * stride]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums.at[r][first + v] += number * b[v];
    }
  }
}

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

// Goes through [first, last) in blocks of at most `most`, as equal as can be: work(Constant<size>, first of block).
template <int most, class Work>
EVERYSTEP_INLINE void in_blocks(int64_t first, int64_t last, Work&& work) {
  for (int64_t blocks = (last - first + most - 1) / most; blocks > 0; --blocks) {
    const int64_t size = (last - first + blocks - 1) / blocks;
    with_constant<most>(size, [&](auto count) { work(count, first); });
    first += size;
  }
}

}  // namespace everystep::EVERYSTEP_ISA
