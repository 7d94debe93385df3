// Included once by each path_*.cpp, which says for which instructions: makes a `Path` of the loop.
#include "backward.h"
#include "loop.h"

namespace everystep::EVERYSTEP_ISA {

// Calls work(a cell) for the cell of a setting.
template <class Work>
auto with_cell(const Setting& setting, Work&& work) {
  switch (setting.cell) {
    case Cell::lstm: return work(LstmCell{});
    case Cell::gru: return work(GruCell{});
    case Cell::gru_reset_before: return work(ResetBeforeGruCell{});
    default: return work(SimpleCell{});
  }
}

// Calls work(a cell, activations) with Keras's own activations known to the compiler.
template <class Work>
void with_equation(const Setting& setting, Work&& work) {
  const bool standard = setting.activation == Function::tanh && setting.gate_activation == Function::sigmoid;
  with_cell(setting, [&](auto cell) { standard ? work(cell, Standard{setting}) : work(cell, Chosen{setting}); });
}

static int64_t packed_size(const Setting& setting, const Sizes& sizes) {
  return static_cast<int64_t>(sizeof(float)) *
         with_cell(setting, [&](auto cell) { return packed_floats<decltype(cell)>(sizes); });
}

static int64_t kept_size(const Setting& setting, const Sizes& sizes) {
  return with_cell(setting, [&](auto cell) { return kept_floats<decltype(cell)>(sizes); });
}

static void pack(const Setting& setting, const Sizes& sizes, const void* kernel, const void* recurrent_kernel,
                 void* packed, Team& team) {
  with_cell(setting, [&](auto cell) {
    pack<decltype(cell)>(sizes, static_cast<const float*>(kernel), static_cast<const float*>(recurrent_kernel),
                         static_cast<float*>(packed), team);
  });
}

static void forward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* packed,
                    const Outputs& outputs, Team& team) {
  with_equation(setting, [&](auto cell, auto activations) {
    Forward<decltype(cell), decltype(activations)>(setting, sizes, inputs, static_cast<const float*>(packed), outputs,
                                                   team)();
  });
}

static void backward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* kernel,
                     const void* recurrent_kernel, const Outputs& outputs, const Cotangents& cotangents,
                     const Gradients& gradients, Team& team) {
  with_equation(setting, [&](auto cell, auto activations) {
    Backward<decltype(cell), decltype(activations)>(setting, sizes, inputs, static_cast<const float*>(kernel),
                                                    static_cast<const float*>(recurrent_kernel), outputs, cotangents,
                                                    gradients, team)();
  });
}

}  // namespace everystep::EVERYSTEP_ISA
