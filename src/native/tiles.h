// Products of bfloat16 in the tile registers of AMX: 16 rows times 16 columns, 32 numbers of the depth at once.
//
// A tile of a panel is 16 of its steps of the depth, and so has the layout that panels have anyway. Two tiles of rows
// times two vectors of a panel add up at a time, so that each tile that is read serves twice.
#pragma once

#include "product.h"

namespace everystep::EVERYSTEP_ISA {

// One for each member of a team: the registers and their shape belong to a thread.
class InTiles : public Paired {
 public:
  static constexpr int tile = 16;

  static constexpr int most_rows(int) { return 2 * tile; }
  static constexpr int strip_rows(int) { return 2 * tile; }
  static constexpr int strip_stride(int) { return 1; }
  static constexpr int64_t chunk = 512;
  static Spaced<Factor> strip(const Factor* first) { return {first, depth(chunk)}; }

  static constexpr int64_t depth(int64_t count) { return (count + 31) / 32 * tile; }

  template <int vectors, class Work>
  static void each_block(int64_t begin, int64_t end, Work&& work) {
    for (int64_t first = begin; first < end; first += 2 * tile)
      work(static_cast<int>(std::min<int64_t>(2 * tile, end - first)), first);
  }

  InTiles() = default;
  InTiles(const InTiles&) = delete;
  InTiles& operator=(const InTiles&) = delete;
  ~InTiles() {
    if (rows_ != 0) _tile_release();
  }

  template <int width, class... Parts>
  void sum(int rows, float* to, Start start, const Parts&... parts) {
    // The compiler doesn't know that tiles are read from memory.
    asm volatile("" ::: "memory");
    shape(rows);
    if (rows > tile) {
      vectors<0, width, true>(to, start, parts...);
    } else {
      vectors<0, width, false>(to, start, parts...);
    }
    asm volatile("" ::: "memory");
  }

  // As InRegisters::gather, but a strip has its rows one behind the other.
  template <int vectors, class Row>
  static void gather(Factor* to, Range strips, int64_t columns, int64_t slots, Row&& row) {
    static const Factor none[lanes] = {};
    for (int64_t first = 0; first < slots; first += 2 * tile)
      for (int64_t strip = 2 * strips.first; strip < 2 * strips.last; ++strip) {
        Factor* here = to + (strip - 2 * strips.first) * tile * depth(chunk) + first / 2;
        const int64_t column = strip * tile;
        if (column > columns) continue;
        Floats block[tile];
        for (int k = 0; k < tile; ++k) {
          const int64_t slot = first + 2 * k;
          // Behind the columns comes the one of the bias, which no row has.
          auto half = [&](int64_t at) { return at < slots && column < columns ? row(at) + column / 2 : none; };
          block[k] = beside(half(slot), half(slot + 1));
        }
        transpose(block);
        if (columns - column < tile) {
          Bfloat16 ones[2 * tile];
          for (int i = 0; i < 2 * tile; ++i) ones[i] = first + i < slots ? one : zero;
          std::memcpy(&block[columns - column], ones, sizeof ones);
        }
        for (int r = 0; r < tile; ++r) std::memcpy(here + r * depth(chunk), &block[r], sizeof block[r]);
      }
  }

 private:
  // Registers 0 and 1 are sums of the first tile of rows by two vectors, 2 and 3 of the second, 4 and 5 rows, 6 and 7
  // the panel.
  void shape(int rows) {
    if (rows == rows_) return;
    rows_ = rows;
    alignas(64) struct {
      uint8_t palette, start_row, reserved[14];
      uint16_t bytes[16];
      uint8_t rows[16];
    } shape = {};
    shape.palette = 1;
    const auto above = static_cast<uint8_t>(std::min(rows, tile));
    const auto below = static_cast<uint8_t>(std::max(rows - tile, 0));
    const uint8_t each[8] = {above, above, below, below, above, below, tile, tile};
    for (int i = 0; i < 8; ++i) {
      shape.rows[i] = each[i];
      shape.bytes[i] = each[i] == 0 ? 0 : 64;
    }
    // Nor that all of the shape is read.
    asm volatile("" : : "r"(&shape) : "memory");
    _tile_loadconfig(&shape);
  }

  template <int v, int width, bool both, class... Parts>
  static void vectors(float* to, Start start, const Parts&... parts) {
    if constexpr (v < width) {
      constexpr bool two = v + 1 < width;
      begin<both, two>(start, v);
      (add<v, both, two>(parts), ...);
      end<both, two>(to + v * lanes, width * lanes);
      vectors<v + 2, width, both>(to, start, parts...);
    }
  }

  template <bool both, bool two>
  static EVERYSTEP_INLINE void begin(Start start, int v) {
    if (start.first == nullptr) {
      _tile_zero(0);
      if constexpr (two) _tile_zero(1);
      if constexpr (both) _tile_zero(2);
      if constexpr (both && two) _tile_zero(3);
      return;
    }
    const float* from = start.first + v * lanes;
    const int64_t bytes = start.pitch * 4, next = tile * start.pitch;
    _tile_loadd(0, from, bytes);
    if constexpr (two) _tile_loadd(1, from + lanes, bytes);
    if constexpr (both) _tile_loadd(2, from + next, bytes);
    if constexpr (both && two) _tile_loadd(3, from + next + lanes, bytes);
  }

  template <bool both, bool two>
  static EVERYSTEP_INLINE void end(float* to, int64_t pitch) {
    _tile_stored(0, to, pitch * 4);
    if constexpr (two) _tile_stored(1, to + lanes, pitch * 4);
    if constexpr (both) _tile_stored(2, to + tile * pitch, pitch * 4);
    if constexpr (both && two) _tile_stored(3, to + tile * pitch + lanes, pitch * 4);
  }

  template <int v, bool both, bool two, class Part>
  static EVERYSTEP_INLINE void add(const Part& part) {
    static_assert(Part::stride == 1);
    constexpr bool left = v >= Part::first && v < Part::first + Part::vectors;
    constexpr bool right = two && v + 1 >= Part::first && v + 1 < Part::first + Part::vectors;
    if constexpr (left || right) {
      const Factor* a = part.rows(0);
      const int64_t rows = part.rows.pitch * 4, below = tile * part.rows.pitch, bytes = part.pitch * 4;
      for (int64_t piece = 0; piece < part.pieces; ++piece) {
        const Factor* b = part.panel + piece * part.panel_apart + (v - Part::first) * lanes;
        for (int64_t k = 0; k < part.depth; k += tile) {
          _tile_loadd(4, a + k, rows);
          if constexpr (both) _tile_loadd(5, a + below + k, rows);
          if constexpr (left) {
            _tile_loadd(6, b, bytes);
            _tile_dpbf16ps(0, 4, 6);
            if constexpr (both) _tile_dpbf16ps(2, 5, 6);
          }
          if constexpr (right) {
            _tile_loadd(7, b + lanes, bytes);
            _tile_dpbf16ps(1, 4, 7);
            if constexpr (both) _tile_dpbf16ps(3, 5, 7);
          }
          b += tile * part.pitch;
        }
        a += part.row_apart;
      }
    }
  }

  int rows_ = 0;
};

}  // namespace everystep::EVERYSTEP_ISA
