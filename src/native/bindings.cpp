// The native recurrent loop as foreign functions of XLA, and what Python asks of it while it traces a program.
//
// Every array is held to the sizes that the first ones set before anything of it is read: a program that was put
// together wrongly, or read from a file, gets an error and no crash. An array that is not there comes as shape (0,).
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "recurrent.h"
#include "stepper_binding.h"
#include "team.h"
#include "xla/ffi/api/ffi.h"

namespace everystep {
namespace {

namespace ffi = xla::ffi;
namespace nb = nanobind;

using ffi::AnyBuffer;
using ffi::DataType;
using Result = ffi::Result<AnyBuffer>;

// What both kernels and the loop read and write vectors at.
constexpr uintptr_t alignment = 64;

// Multiply-adds from which a second thread gains more than it costs: measured on one row of one step, whose weights
// two caches hold, and on few steps of few rows.
constexpr double worth_a_team = 3e5;

struct Refusal : std::exception {
  explicit Refusal(std::string reason) : reason(std::move(reason)) {}
  const char* what() const noexcept override { return reason.c_str(); }
  std::string reason;
};

std::string written(AnyBuffer::Dimensions sizes) {
  std::string text = "(";
  for (size_t axis = 0; axis < sizes.size(); ++axis) text += (axis ? ", " : "") + std::to_string(sizes[axis]);
  return text + ")";
}

// What is the same for each of the calls.
struct Attributes {
  Setting setting;
  const Path* path;
};

const Path& path_named(std::string_view name) {
  std::string there;
  for (const Path* path : paths()) {
    if (name == path->name) return *path;
    there += std::string(there.empty() ? "" : ", ") + path->name;
  }
  throw Refusal("this program was compiled for the instructions '" + std::string(name) +
                "', but this processor has: " + there + ". Compile it here");
}

template <class Number>
Number numbered(int64_t number, Number last, const char* what) {
  if (number < 0 || number > static_cast<int64_t>(last))
    throw Refusal("there is no " + std::string(what) + " of number " + std::to_string(number));
  return static_cast<Number>(number);
}

int64_t blocks(Cell cell) {
  switch (cell) {
    case Cell::simple: return 1;
    case Cell::lstm: return 4;
    default: return 3;
  }
}

// Arrays of nothing may have any sizes, and the products of these must fit into 64 bits as well.
void check_sizes(const Sizes& sizes, Cell cell) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  constexpr double most_numbers = 1ll << 44;
  for (int64_t size : {sizes.batch, sizes.steps, sizes.features, sizes.units})
    if (size < 0 || size > most) throw Refusal("there is no array of size " + std::to_string(size) + " here");
  const double slots = static_cast<double>(sizes.batch) * static_cast<double>(sizes.steps);
  const double rows = static_cast<double>(sizes.features) + 8.0 * static_cast<double>(sizes.units);
  if (slots > static_cast<double>(most)) throw Refusal("there are 2^31 steps of all rows, or more");
  if (std::max(slots, static_cast<double>(blocks(cell) * sizes.units)) * rows > most_numbers)
    throw Refusal("the arrays would hold more than 2^44 numbers");
}

// Looks at arrays one by one.
class Arrays {
 public:
  explicit Arrays(const char* call) : call_(call) {}

  [[noreturn]] void refuse(const std::string& reason) const { throw Refusal(std::string(call_) + ": " + reason); }

  AnyBuffer::Dimensions ranked(const char* name, const AnyBuffer& array, size_t rank) const {
    if (array.dimensions().size() != rank)
      refuse(std::string(name) + " must have " + std::to_string(rank) + " axes, not shape " +
             written(array.dimensions()));
    return array.dimensions();
  }

  // The data of an array that must be there, in this type and shape.
  void* data(const char* name, const AnyBuffer& array, DataType type, std::initializer_list<int64_t> shape) const {
    AnyBuffer::Dimensions wanted(shape.begin(), shape.size());
    bool same = array.dimensions().size() == shape.size();
    for (size_t axis = 0; same && axis < shape.size(); ++axis) same = array.dimensions()[axis] == wanted[axis];
    if (!same)
      refuse(std::string(name) + " must have shape " + written(wanted) + ", not " + written(array.dimensions()));
    if (array.element_type() != type) refuse(std::string(name) + " has a type that was not asked for");
    return array.untyped_data();
  }

  // The same of one that may be left out.
  void* optional(const char* name, const AnyBuffer& array, DataType type, std::initializer_list<int64_t> shape) const {
    if (array.dimensions().size() == 1 && array.dimensions()[0] == 0) return nullptr;
    return data(name, array, type, shape);
  }

  float* floats(const char* name, const AnyBuffer& array, std::initializer_list<int64_t> shape) const {
    return static_cast<float*>(data(name, array, DataType::F32, shape));
  }

  float* optional_floats(const char* name, const AnyBuffer& array, std::initializer_list<int64_t> shape) const {
    return static_cast<float*>(optional(name, array, DataType::F32, shape));
  }

  void* aligned(const char* name, void* data) const {
    if (reinterpret_cast<uintptr_t>(data) % alignment != 0)
      refuse(std::string(name) + " does not start at a multiple of " + std::to_string(alignment) + " bytes");
    return data;
  }

 private:
  const char* call_;
};

// The inputs that forward and backward share, and the sizes and types that follow from them.
struct Rows {
  Rows(const Arrays& arrays, Setting& setting, const AnyBuffer& values, const AnyBuffer& bias,
       const AnyBuffer& recurrent_bias, const AnyBuffer& peepholes, const AnyBuffer& segments, const AnyBuffer& dropout,
       const AnyBuffer& hidden, const AnyBuffer& cell) {
    auto shape = arrays.ranked("values", values, 3);
    auto states = arrays.ranked("h", hidden, 2);
    sizes = {shape[0], shape[1], shape[2], states[1]};
    check_sizes(sizes, setting.cell);
    setting.bfloat16 = values.element_type() == DataType::BF16;
    type = setting.bfloat16 ? DataType::BF16 : DataType::F32;
    shares = blocks(setting.cell) * sizes.units;
    const bool lstm = setting.cell == Cell::lstm;
    inputs.values = arrays.data("values", values, type, {sizes.batch, sizes.steps, sizes.features});
    inputs.bias = arrays.optional_floats("bias", bias, {shares});
    inputs.recurrent_bias = arrays.optional_floats("recurrent_bias", recurrent_bias, {shares});
    inputs.peepholes = arrays.optional_floats("peepholes", peepholes, {3 * sizes.units});
    if (inputs.peepholes && !lstm) arrays.refuse("peepholes are of the lstm alone");
    inputs.segments =
        static_cast<int32_t*>(arrays.optional("segments", segments, DataType::S32, {sizes.batch, sizes.steps}));
    if (setting.packed_rows && !inputs.segments) arrays.refuse("packed rows need segments");
    inputs.dropout = arrays.optional_floats("dropout", dropout, {sizes.batch, sizes.units});
    inputs.initial[0] = arrays.floats("h", hidden, {sizes.batch, sizes.units});
    inputs.initial[1] = state(arrays, "c", cell, lstm);
  }

  // The data of c or of what belongs to it, nullptr for cells without one.
  float* state(const Arrays& arrays, const char* name, const AnyBuffer& array, bool there) const {
    if (there) return arrays.floats(name, array, {sizes.batch, sizes.units});
    return arrays.floats(name, array, {0}), nullptr;
  }

  Sizes sizes;
  DataType type;
  int64_t shares;
  Inputs inputs{};
};

int members(const Sizes& sizes, int64_t shares) {
  double products = static_cast<double>(sizes.batch) * static_cast<double>(sizes.steps) *
                    static_cast<double>(sizes.features + sizes.units) * static_cast<double>(shares);
  return products < worth_a_team ? 1 : team_size();
}

Attributes attributes(std::string_view path, int64_t cell, int64_t activation, int64_t gate_activation, bool packed_rows,
                      bool reverse, bool zero_output) {
  Setting setting{};
  setting.cell = numbered(cell, Cell::gru_reset_before, "cell");
  setting.activation = numbered(activation, Function::hard_sigmoid, "activation");
  setting.gate_activation = numbered(gate_activation, Function::hard_sigmoid, "activation");
  setting.packed_rows = packed_rows;
  setting.reverse = reverse;
  setting.zero_output = zero_output;
  return {setting, &path_named(path)};
}

// Runs a call; what it throws becomes XLA's error.
template <class Work>
ffi::Error guarded(Work&& work) {
  try {
    work();
    return ffi::Error::Success();
  } catch (const Refusal& refusal) {
    return ffi::Error(ffi::ErrorCode::kInvalidArgument, refusal.reason);
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "the native recurrent loop has no memory left");
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kInternal, std::string("the native recurrent loop failed: ") + error.what());
  }
}

ffi::Error pack(AnyBuffer kernel, AnyBuffer recurrent_kernel, Result packed, std::string_view path, int64_t cell,
                int64_t activation, int64_t gate_activation, bool packed_rows, bool reverse, bool zero_output) {
  return guarded([&] {
    const Arrays arrays("everystep_pack");
    auto [setting, chosen] =
        attributes(path, cell, activation, gate_activation, packed_rows, reverse, zero_output);
    const int64_t features = arrays.ranked("kernel", kernel, 2)[0];
    const int64_t units = arrays.ranked("recurrent_kernel", recurrent_kernel, 2)[0];
    const Sizes sizes{1, 1, features, units};
    check_sizes(sizes, setting.cell);
    setting.bfloat16 = kernel.element_type() == DataType::BF16;
    const DataType type = setting.bfloat16 ? DataType::BF16 : DataType::F32;
    const int64_t shares = blocks(setting.cell) * units;
    const void* input_weights = arrays.data("kernel", kernel, type, {features, shares});
    const void* weights = arrays.data("recurrent_kernel", recurrent_kernel, type, {units, shares});
    void* to = arrays.data("packed", *packed, DataType::U8, {chosen->packed_size(setting, sizes)});
    if (units == 0) return;  // of no numbers, whatever number of rows they say to have
    Borrowed borrowed(members({1, 1, features, units}, 8 * shares));
    chosen->pack(setting, sizes, input_weights, weights, arrays.aligned("packed", to), borrowed.team());
  });
}

ffi::Error forward(AnyBuffer values, AnyBuffer packed, AnyBuffer bias, AnyBuffer recurrent_bias, AnyBuffer peepholes,
                   AnyBuffer segments, AnyBuffer dropout, AnyBuffer hidden, AnyBuffer cell_state, Result out_values,
                   Result out_hidden, Result out_cell, Result kept, std::string_view path, int64_t cell,
                   int64_t activation, int64_t gate_activation, bool packed_rows, bool reverse, bool zero_output) {
  return guarded([&] {
    const Arrays arrays("everystep_forward");
    auto [setting, chosen] =
        attributes(path, cell, activation, gate_activation, packed_rows, reverse, zero_output);
    const Rows rows(arrays, setting, values, bias, recurrent_bias, peepholes, segments, dropout, hidden, cell_state);
    const Sizes& sizes = rows.sizes;
    const void* weights = arrays.data("packed", packed, DataType::U8, {chosen->packed_size(setting, sizes)});
    arrays.aligned("packed", const_cast<void*>(weights));
    Outputs outputs{};
    outputs.values = arrays.data("outputs", *out_values, rows.type, {sizes.batch, sizes.steps, sizes.units});
    outputs.last[0] = arrays.floats("last h", *out_hidden, {sizes.batch, sizes.units});
    outputs.last[1] = rows.state(arrays, "last c", *out_cell, setting.cell == Cell::lstm);
    outputs.kept = arrays.optional_floats("kept", *kept, {chosen->kept_size(setting, sizes)});
    if (outputs.kept) arrays.aligned("kept", outputs.kept);
    if (sizes.units == 0) return;
    Borrowed borrowed(members(sizes, rows.shares));
    chosen->forward(setting, sizes, rows.inputs, weights, outputs, borrowed.team());
  });
}

ffi::Error backward(AnyBuffer values, AnyBuffer kernel, AnyBuffer recurrent_kernel, AnyBuffer bias,
                    AnyBuffer recurrent_bias, AnyBuffer peepholes, AnyBuffer segments, AnyBuffer dropout,
                    AnyBuffer hidden, AnyBuffer cell_state, AnyBuffer out_values, AnyBuffer kept, AnyBuffer d_outputs,
                    AnyBuffer d_last_hidden, AnyBuffer d_last_cell, Result d_values, Result d_kernel,
                    Result d_recurrent_kernel, Result d_bias, Result d_recurrent_bias, Result d_peepholes,
                    Result d_hidden, Result d_cell, Result d_dropout, std::string_view path, int64_t cell,
                    int64_t activation, int64_t gate_activation, bool packed_rows, bool reverse, bool zero_output) {
  return guarded([&] {
    const Arrays arrays("everystep_backward");
    auto [setting, chosen] =
        attributes(path, cell, activation, gate_activation, packed_rows, reverse, zero_output);
    const Rows rows(arrays, setting, values, bias, recurrent_bias, peepholes, segments, dropout, hidden, cell_state);
    const auto& [batch, steps, features, units] = rows.sizes;
    const int64_t shares = rows.shares;
    const bool lstm = setting.cell == Cell::lstm;
    const void* input_weights = arrays.data("kernel", kernel, rows.type, {features, shares});
    const void* weights = arrays.data("recurrent_kernel", recurrent_kernel, rows.type, {units, shares});
    Outputs outputs{};
    outputs.values = arrays.data("outputs", out_values, rows.type, {batch, steps, units});
    outputs.kept = arrays.floats("kept", kept, {chosen->kept_size(setting, rows.sizes)});
    arrays.aligned("kept", outputs.kept);
    Cotangents cotangents{};
    cotangents.values = arrays.data("d_outputs", d_outputs, rows.type, {batch, steps, units});
    cotangents.last[0] = arrays.floats("d_last_h", d_last_hidden, {batch, units});
    cotangents.last[1] = rows.state(arrays, "d_last_c", d_last_cell, lstm);
    Gradients gradients{};
    gradients.values = arrays.data("d_values", *d_values, rows.type, {batch, steps, features});
    gradients.kernel = arrays.floats("d_kernel", *d_kernel, {features, shares});
    gradients.recurrent_kernel = arrays.floats("d_recurrent_kernel", *d_recurrent_kernel, {units, shares});
    gradients.bias = arrays.floats("d_bias", *d_bias, {shares});
    gradients.recurrent_bias = arrays.floats("d_recurrent_bias", *d_recurrent_bias, {shares});
    gradients.initial[0] = arrays.floats("d_h", *d_hidden, {batch, units});
    gradients.initial[1] = rows.state(arrays, "d_c", *d_cell, lstm);
    if (rows.inputs.peepholes) gradients.peepholes = arrays.floats("d_peepholes", *d_peepholes, {3 * units});
    if (rows.inputs.dropout) gradients.dropout = arrays.floats("d_dropout", *d_dropout, {batch, units});
    if (units == 0) {
      std::memset(gradients.values, 0, d_values->size_bytes());
      return;
    }
    Borrowed borrowed(members(rows.sizes, shares));
    chosen->backward(setting, rows.sizes, rows.inputs, input_weights, weights, outputs, cotangents, gradients,
                     borrowed.team());
  });
}

template <int count, class Binding>
auto with_arguments(Binding&& binding) {
  if constexpr (count == 1)
    return std::move(binding).template Arg<AnyBuffer>();
  else
    return with_arguments<count - 1>(std::move(binding).template Arg<AnyBuffer>());
}

template <int count, class Binding>
auto with_results(Binding&& binding) {
  if constexpr (count == 1)
    return std::move(binding).template Ret<AnyBuffer>();
  else
    return with_results<count - 1>(std::move(binding).template Ret<AnyBuffer>());
}

// A call of so many arrays that gives so many, with the attributes that all calls have.
template <int arguments, int results>
auto call() {
  return with_results<results>(with_arguments<arguments>(ffi::Ffi::Bind()))
      .template Attr<std::string_view>("path")
      .template Attr<int64_t>("cell")
      .template Attr<int64_t>("activation")
      .template Attr<int64_t>("gate_activation")
      .template Attr<bool>("packed_rows")
      .template Attr<bool>("reverse")
      .template Attr<bool>("zero_output");
}

XLA_FFI_DEFINE_HANDLER(pack_handler, pack, (call<2, 1>()));
XLA_FFI_DEFINE_HANDLER(forward_handler, forward, (call<9, 4>()));
XLA_FFI_DEFINE_HANDLER(backward_handler, backward, (call<15, 9>()));

template <class Handler>
nb::capsule capsule(Handler* handler) {
  return nb::capsule(reinterpret_cast<void*>(handler));
}

Setting setting_of(int64_t cell, bool bfloat16, const Sizes& sizes) {
  Setting setting{};
  setting.cell = numbered(cell, Cell::gru_reset_before, "cell");
  setting.bfloat16 = bfloat16;
  check_sizes(sizes, setting.cell);
  return setting;
}

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

// What a step of training has used and freed stays with the process, up to so many bytes. glibc would else give it back
// to the system and take it anew in each step, page by page: a tenth of the step's time. Who has set glibc up has
// decided for themselves.
void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int most = 256 << 20, most_of_old_versions = 32 << 20;
  for (const char* own : {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_"})
    if (std::getenv(own) != nullptr) return;
  mallopt(M_TRIM_THRESHOLD, most);
  if (mallopt(M_MMAP_THRESHOLD, most) == 0) mallopt(M_MMAP_THRESHOLD, most_of_old_versions);
#endif
}

}  // namespace

NB_MODULE(_native, module) {
  module.doc() = "The native recurrent loop: foreign functions of XLA, and what is asked of them while tracing.";

  module.def("calls", [] {
    nb::dict calls;
    calls["everystep_pack"] = capsule(pack_handler);
    calls["everystep_forward"] = capsule(forward_handler);
    calls["everystep_backward"] = capsule(backward_handler);
    return calls;
  });
  module.def("keep_freed_memory", &keep_freed_memory);
  module.def("paths", [] {
    std::vector<std::string> names;
    for (const Path* path : paths()) names.emplace_back(path->name);
    return names;
  });
  module.def(
      "packed_size",
      [](const std::string& path, int64_t cell, bool bfloat16, int64_t features, int64_t units) {
        const Sizes sizes{1, 1, features, units};
        return path_named(path).packed_size(setting_of(cell, bfloat16, sizes), sizes);
      },
      nb::arg("path"), nb::arg("cell"), nb::arg("bfloat16"), nb::arg("features"), nb::arg("units"));
  module.def(
      "kept_size",
      [](const std::string& path, int64_t cell, bool bfloat16, int64_t batch, int64_t steps, int64_t features,
         int64_t units) {
        const Sizes sizes{batch, steps, features, units};
        return path_named(path).kept_size(setting_of(cell, bfloat16, sizes), sizes);
      },
      nb::arg("path"), nb::arg("cell"), nb::arg("bfloat16"), nb::arg("batch"), nb::arg("steps"), nb::arg("features"),
      nb::arg("units"));
  bind_stepper(module);
  module.def("compiler", compiler);
  module.def("team_size", team_size);
  module.def("set_team_size", set_team_size, nb::arg("members"));
}

}  // namespace everystep
