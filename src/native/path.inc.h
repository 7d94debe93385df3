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

// What a path does, by one kind of products.
template <class P>
struct By {
  using Number = typename P::Number;
  using Factor = typename P::Factor;

  static int64_t packed_size(const Setting& setting, const Sizes& sizes) {
    return with_cell(setting, [&](auto cell) { return packed_bytes<decltype(cell), P>(sizes); });
  }

  static int64_t kept_size(const Setting& setting, const Sizes& sizes) {
    return with_cell(setting, [&](auto cell) { return Kept<decltype(cell), P>(sizes).floats; });
  }

  static void pack(const Setting& setting, const Sizes& sizes, const void* kernel, const void* recurrent_kernel,
                   void* packed, Team& team) {
    with_cell(setting, [&](auto cell) {
      everystep::EVERYSTEP_ISA::pack<decltype(cell), P>(sizes, static_cast<const Number*>(kernel),
                                                        static_cast<const Number*>(recurrent_kernel),
                                                        static_cast<Factor*>(packed), team);
    });
  }

  static void forward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* packed,
                      const Outputs& outputs, Team& team) {
    with_cell(setting, [&](auto cell) {
      Forward<decltype(cell), P>(setting, sizes, inputs, static_cast<const Factor*>(packed),
                                                        outputs, team)();
    });
  }

  static void backward(const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* kernel,
                       const void* recurrent_kernel, const Outputs& outputs, const Cotangents& cotangents,
                       const Gradients& gradients, Team& team) {
    with_cell(setting, [&](auto cell) {
      Backward<decltype(cell), P>(setting, sizes, inputs, static_cast<const Number*>(kernel),
                                                         static_cast<const Number*>(recurrent_kernel), outputs,
                                                         cotangents, gradients, team)();
    });
  }
};

// What another path does.
template <const Path& other>
struct As {
  static int64_t packed_size(const Setting& setting, const Sizes& sizes) { return other.packed_size(setting, sizes); }
  static int64_t kept_size(const Setting& setting, const Sizes& sizes) { return other.kept_size(setting, sizes); }
  template <class... Arguments>
  static void pack(Arguments&&... arguments) { other.pack(std::forward<Arguments>(arguments)...); }
  template <class... Arguments>
  static void forward(Arguments&&... arguments) { other.forward(std::forward<Arguments>(arguments)...); }
  template <class... Arguments>
  static void backward(Arguments&&... arguments) { other.backward(std::forward<Arguments>(arguments)...); }
};

// A path that does float32 in one way and bfloat16 in another.
template <class Float32, class Bfloat16>
constexpr Path path(const char* name, bool multiplies_bfloat16) {
  return {
      name,
      multiplies_bfloat16,
      [](const Setting& setting, const Sizes& sizes) {
        return setting.bfloat16 ? Bfloat16::packed_size(setting, sizes) : Float32::packed_size(setting, sizes);
      },
      [](const Setting& setting, const Sizes& sizes) {
        return setting.bfloat16 ? Bfloat16::kept_size(setting, sizes) : Float32::kept_size(setting, sizes);
      },
      [](const Setting& setting, const Sizes& sizes, const void* kernel, const void* recurrent_kernel, void* packed,
         Team& team) {
        setting.bfloat16 ? Bfloat16::pack(setting, sizes, kernel, recurrent_kernel, packed, team)
                         : Float32::pack(setting, sizes, kernel, recurrent_kernel, packed, team);
      },
      [](const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* packed, const Outputs& outputs,
         Team& team) {
        setting.bfloat16 ? Bfloat16::forward(setting, sizes, inputs, packed, outputs, team)
                         : Float32::forward(setting, sizes, inputs, packed, outputs, team);
      },
      [](const Setting& setting, const Sizes& sizes, const Inputs& inputs, const void* kernel,
         const void* recurrent_kernel, const Outputs& outputs, const Cotangents& cotangents, const Gradients& gradients,
         Team& team) {
        setting.bfloat16
            ? Bfloat16::backward(setting, sizes, inputs, kernel, recurrent_kernel, outputs, cotangents, gradients, team)
            : Float32::backward(setting, sizes, inputs, kernel, recurrent_kernel, outputs, cotangents, gradients, team);
      },
  };
}

}  // namespace everystep::EVERYSTEP_ISA
