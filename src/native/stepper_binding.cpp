// The stepper for Python. Every array is held to its type and shape; weights are kept for as long as they are read.
#include "stepper_binding.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "stepper.h"

namespace everystep {
namespace {

namespace nb = nanobind;

using Anything = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using Matrix = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Vector = nb::ndarray<const float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Result = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<const int32_t, nb::c_contig, nb::device::cpu>;

// Steps of all rows from which other threads of Python may run meanwhile. For fewer it takes longer to come back.
constexpr int64_t worth_letting_go = 64;

// Rows, steps and widths are no more, so that their products fit into 64 bits.
constexpr int64_t most = std::numeric_limits<int32_t>::max();
constexpr double most_numbers = 1ll << 44;

[[noreturn]] void refuse(const std::string& reason) { throw nb::value_error(reason.c_str()); }

const Path& path_named(const std::string& name) {
  for (const Path* path : paths())
    if (name == path->name) return *path;
  refuse("this processor has no instructions '" + name + "'");
}

// An array of four bytes a number, if it starts where such a number may.
template <class Number>
Number* aligned(Number* data) {
  if (reinterpret_cast<uintptr_t>(data) % alignof(Number) != 0) refuse("an array does not start where its numbers may");
  return data;
}

Function function_of(int64_t number) {
  if (number < 0 || number > static_cast<int64_t>(Function::hard_sigmoid))
    refuse("there is no activation of number " + std::to_string(number));
  return static_cast<Function>(number);
}

// The list of operations, and the arrays that it reads.
class Held {
 public:
  Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // A stepper has states for the operations that there were when it was made.
  const Operations& taken() {
    if (operations_.empty()) refuse("there is no operation");
    taken_ = true;
    return operations_;
  }
  const Operations& operations() const { return operations_; }
  bool reads_ids() const { return reads_ids_; }
  int64_t features() const { return features_; }
  int64_t widest() const {
    int64_t widest = std::max<int64_t>(1, features_);
    for (const auto& operation : operations_) widest = std::max(widest, operation->width());
    return widest;
  }
  bool last() const { return last_; }

  void embed(Matrix table) {
    if (!operations_.empty()) refuse("ids can only come first");
    add(embedding(aligned(table.data()), size(table, 0), size(table, 1)), 1);
    reads_ids_ = true;
    keep(table);
  }

  void multiply(Matrix kernel, nb::object bias) {
    const int64_t features = size(kernel, 0), units = size(kernel, 1);
    add(product(aligned(kernel.data()), vector(bias, units, "bias"), features, units), features);
    keep(kernel);
  }

  void activate(int64_t function, int64_t width) {
    add(activation(function_of(function), checked(width)), width);
  }
  void normalize(int64_t width) { add(softmax(checked(width)), width); }

  void loop(const std::string& path, int64_t cell, int64_t activation, int64_t gate_activation, bool zero_output,
            nb::object kernel, Matrix recurrent_kernel, nb::object bias, nb::object recurrent_bias, nb::object peepholes,
            bool last) {
    if (last_) refuse("behind a loop that gives its last output alone there are no steps");
    if (cell < 0 || cell > static_cast<int64_t>(Cell::gru_reset_before))
      refuse("there is no cell of number " + std::to_string(cell));
    Setting setting{};
    setting.cell = static_cast<Cell>(cell);
    setting.activation = function_of(activation);
    setting.gate_activation = function_of(gate_activation);
    setting.zero_output = zero_output && !last;
    const int64_t units = checked(size(recurrent_kernel, 0));
    const int64_t shares = units * (setting.cell == Cell::simple ? 1 : setting.cell == Cell::lstm ? 4 : 3);
    Matrix input_kernel;
    if (!kernel.is_none()) input_kernel = nb::cast<Matrix>(kernel);
    const int64_t features = kernel.is_none() ? 0 : checked(size(input_kernel, 0));
    if ((!kernel.is_none() && size(input_kernel, 1) != shares) || size(recurrent_kernel, 1) != shares)
      refuse("the kernels must have " + std::to_string(shares) + " columns");
    if ((static_cast<double>(features) + static_cast<double>(units)) * static_cast<double>(shares) > most_numbers)
      refuse("the kernels would hold more than 2^44 numbers");
    if (!peepholes.is_none() && setting.cell != Cell::lstm) refuse("peepholes are of the lstm alone");
    const LoopWeights weights{kernel.is_none() ? nullptr : aligned(input_kernel.data()),
                              aligned(recurrent_kernel.data()), vector(bias, shares, "bias"),
                              vector(recurrent_bias, shares, "recurrent_bias"),
                              vector(peepholes, 3 * units, "peepholes")};
    add(everystep::loop(path_named(path), setting, features, units, weights, last), kernel.is_none() ? shares : features);
    last_ = last;
  }

 private:
  static int64_t checked(int64_t width) {
    if (width < 0 || width > most) refuse("there is no width of " + std::to_string(width));
    return width;
  }

  static int64_t size(const Matrix& array, size_t axis) { return static_cast<int64_t>(array.shape(axis)); }

  void add(std::unique_ptr<Operation> operation, int64_t features) {
    checked(features);
    checked(operation->width());
    if (taken_) refuse("a stepper has taken the operations as they are");
    if (operations_.empty()) {
      features_ = features;
    } else if (operations_.back()->width() != features) {
      refuse("an operation reads " + std::to_string(features) + " features, but the one before it gives " +
             std::to_string(operations_.back()->width()));
    }
    operations_.push_back(std::move(operation));
  }

  const float* vector(const nb::object& given, int64_t length, const char* name) {
    if (given.is_none()) return nullptr;
    Vector array = nb::cast<Vector>(given);
    if (static_cast<int64_t>(array.shape(0)) != length)
      refuse(std::string(name) + " must have shape (" + std::to_string(length) + ",)");
    vectors_.push_back(array);
    return aligned(array.data());
  }

  void keep(const Matrix& array) { matrices_.push_back(array); }

  std::vector<Matrix> matrices_;
  std::vector<Vector> vectors_;
  Operations operations_;
  int64_t features_ = 0;
  bool reads_ids_ = false, last_ = false, taken_ = false;
};

class Live {
 public:
  Live(Held& held, int64_t batch) : held_(held), stepper_(held.taken(), checked(batch)) {}

  void run(const Anything& inputs, nb::object mask, const Result& outputs) {
    const int64_t batch = stepper_.batch(), width = held_.operations().back()->width();
    const bool ids = held_.reads_ids();
    if (inputs.ndim() != (ids ? 2u : 3u) || inputs.dtype() != (ids ? nb::dtype<int32_t>() : nb::dtype<float>()))
      refuse("inputs must be int32 (batch, steps) or float32 (batch, steps, features)");
    const int64_t steps = static_cast<int64_t>(inputs.shape(1));
    if (static_cast<int64_t>(inputs.shape(0)) != batch || steps < 1 ||
        (!ids && static_cast<int64_t>(inputs.shape(2)) != held_.features()))
      refuse("inputs do not have the shape of a chunk");
    if (static_cast<double>(batch) * static_cast<double>(steps) * static_cast<double>(held_.widest()) > most_numbers)
      refuse("a chunk would hold more than 2^44 numbers");
    if (static_cast<int64_t>(outputs.size()) != batch * width * (held_.last() ? 1 : steps))
      refuse("outputs do not have the shape of a chunk's");
    Mask segments;
    if (!mask.is_none()) {
      segments = nb::cast<Mask>(mask);
      if (static_cast<int64_t>(segments.size()) != batch * steps) refuse("the mask must have shape (batch, steps)");
    }
    const int32_t* ids_of_steps = mask.is_none() ? nullptr : aligned(segments.data());
    aligned(static_cast<const float*>(inputs.data()));
    aligned(outputs.data());
    if (batch * steps < worth_letting_go) {
      const std::lock_guard<std::mutex> hold(lock_);
      stepper_.run(inputs.data(), ids_of_steps, steps, outputs.data());
    } else {
      const nb::gil_scoped_release let_go;
      const std::lock_guard<std::mutex> hold(lock_);
      stepper_.run(inputs.data(), ids_of_steps, steps, outputs.data());
    }
  }

  // Reads a state, or writes it.
  void read(size_t number, const Result& to) {
    const std::lock_guard<std::mutex> hold(lock_);
    const std::vector<float>& state = at(number, to.size());
    std::copy(state.begin(), state.end(), to.data());
  }

  void write(size_t number, const nb::ndarray<const float, nb::c_contig, nb::device::cpu>& from) {
    const std::lock_guard<std::mutex> hold(lock_);
    std::vector<float>& state = at(number, from.size());
    std::copy_n(from.data(), state.size(), state.begin());
  }

 private:
  static int64_t checked(int64_t batch) {
    if (batch < 1 || batch > most) refuse("there must be a row or more, and no more than 2^31 - 1");
    return batch;
  }

  std::vector<float>& at(size_t number, size_t size) {
    if (number >= stepper_.states().size()) refuse("there is no state of number " + std::to_string(number));
    std::vector<float>& state = stepper_.states()[number];
    if (state.size() != size) refuse("a state has " + std::to_string(state.size()) + " numbers");
    return state;
  }

  Held& held_;
  Stepper stepper_;
  std::mutex lock_;
};

}  // namespace

void bind_stepper(nb::module_& module) {
  nb::class_<Held>(module, "Operations", "A model as a list of operations, with its weights.")
      .def(nb::init<>())
      .def("embed", &Held::embed, nb::arg("table"))
      .def("multiply", &Held::multiply, nb::arg("kernel"), nb::arg("bias").none())
      .def("activate", &Held::activate, nb::arg("function"), nb::arg("width"))
      .def("softmax", &Held::normalize, nb::arg("width"))
      .def("loop", &Held::loop, nb::arg("path"), nb::arg("cell"), nb::arg("activation"), nb::arg("gate_activation"),
           nb::arg("zero_output"), nb::arg("kernel").none(), nb::arg("recurrent_kernel"), nb::arg("bias").none(),
           nb::arg("recurrent_bias").none(), nb::arg("peepholes").none(), nb::arg("last"));
  nb::class_<Live>(module, "Stepper", "So many sequences side by side, and where they are.")
      .def(nb::init<Held&, int64_t>(), nb::arg("operations"), nb::arg("batch"), nb::keep_alive<1, 2>())
      .def("run", &Live::run, nb::arg("inputs"), nb::arg("mask").none(), nb::arg("outputs"))
      .def("read", &Live::read, nb::arg("number"), nb::arg("to"))
      .def("write", &Live::write, nb::arg("number"), nb::arg("state"));
}

}  // namespace everystep
