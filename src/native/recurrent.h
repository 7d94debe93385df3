// The native twin of the recurrent loop: what it takes and gives, free of XLA and of Python.
//
// `Path` is one set of instructions (AVX-512, AVX2, portable): the same source compiled once for each.
// Everything here is single precision, but for inputs, kernels and outputs, which may be bfloat16. Their products then
// take states and gradients of shares that are rounded to it, and add up in float32; gradients of biases and peepholes
// add up what has been rounded. Paths that multiply bfloat16 themselves take numbers below 2^-126 for zeros and add up in
// an order of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace everystep {

class Team;

// The numbers are part of the interface to Python.
enum class Cell : int32_t { simple = 0, lstm = 1, gru = 2, gru_reset_before = 3 };
enum class Function : int32_t { linear = 0, tanh = 1, sigmoid = 2, relu = 3, hard_sigmoid = 4 };

// What is fixed when a program is compiled.
struct Setting {
  Cell cell;
  Function activation;       // of candidates and of the cell state
  Function gate_activation;  // of gates
  bool bfloat16;             // inputs, kernels and outputs; else float32
  bool packed_rows;          // a row may hold several sequences
  bool reverse;              // from the last step to the first
  bool zero_output;          // zeros at padding, where else the state before it is repeated
};

struct Sizes {
  int64_t batch, steps, features, units;
};

// Arrays are row-major and dense. nullptr stands for an array that is not there.
// "shares" is blocks * units: 1, 4 or 3 blocks, in the gate order of the equations in gates.py.
struct Inputs {
  const void* values;             // (batch, steps, features)
  const float* projected;         // (batch, steps, shares), or nullptr: the inputs' part of the shares, made already by
                                  // who calls; then there are no features, and there is no `backward`
  const float* bias;              // (shares,) or nullptr
  const float* recurrent_bias;    // (shares,) or nullptr
  const float* peepholes;         // (3 * units,) in the order i, f, o, or nullptr; lstm only
  const int32_t* segments;        // (batch, steps) or nullptr; 0 is padding
  const float* dropout;           // (batch, units) or nullptr; multiplies h ahead of its product
  const float* initial[2];        // h and c, each (batch, units); c of the lstm only
};

struct Outputs {
  void* values;     // (batch, steps, units)
  float* last[2];   // as Inputs::initial
  float* kept;      // Path::kept_size floats for `backward`, or nullptr where none is to come
};

struct Cotangents {
  const void* values;         // of Outputs::values, in their type
  const float* last[2];
};

struct Gradients {
  void* values;               // (batch, steps, features), in the type of the inputs
  float* kernel;              // (features, shares)
  float* recurrent_kernel;    // (units, shares)
  float* bias;                // (shares,) always written
  float* recurrent_bias;      // (shares,) always written
  float* peepholes;           // (3 * units,) or nullptr
  float* initial[2];
  float* dropout;             // (batch, units) or nullptr
};

struct Path {
  const char* name;
  bool multiplies_bfloat16;  // whether its products take bfloat16 as such; else they are made float32 ahead of them
  // Bytes of both kernels as `pack` lays them out for `forward`.
  int64_t (*packed_size)(const Setting&, const Sizes&);
  // Floats that `forward` keeps for `backward`.
  int64_t (*kept_size)(const Setting&, const Sizes&);
  // kernel (features, shares) and recurrent_kernel (units, shares) -> packed. Batch and steps of the sizes do
  // not count. `packed` is aligned to 64 bytes or more, as are `kept` and nothing else.
  void (*pack)(const Setting&, const Sizes&, const void* kernel, const void* recurrent_kernel, void* packed, Team&);
  void (*forward)(const Setting&, const Sizes&, const Inputs&, const void* packed, const Outputs&, Team&);
  // `outputs.values` and `outputs.kept` are read, `outputs.last` is not.
  void (*backward)(const Setting&, const Sizes&, const Inputs&, const void* kernel, const void* recurrent_kernel,
                   const Outputs& outputs, const Cotangents&, const Gradients&, Team&);
};

// Those that were compiled in and that this processor can run, the fastest first.
const std::vector<const Path*>& paths();

}  // namespace everystep
