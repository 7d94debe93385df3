#include "stepper.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "team.h"

namespace everystep {
namespace {

// Multiply-adds from which a second thread gains more than it costs. Less than for a whole sequence, because here it is
// the weights that have to be read, and two caches hold more of them than one.
constexpr double worth_a_team = 2e5;

class Embedding : public Operation {
 public:
  Embedding(const float* table, int64_t count, int64_t width) : table_(table), count_(count), width_(width) {}
  int64_t width() const override { return width_; }

  void run(Chunk& chunk, const void* from, float* to, const float* const*, float* const*) const override {
    const int32_t* ids = static_cast<const int32_t*>(from);
    for (int64_t row = 0; row < chunk.rows(); ++row) {
      if (ids[row] < 0 || ids[row] >= count_)
        throw std::out_of_range("id " + std::to_string(ids[row]) + " is not below " + std::to_string(count_));
      std::copy_n(table_ + ids[row] * width_, width_, to + row * width_);
    }
  }

 private:
  const float* table_;
  int64_t count_, width_;
};

class Product : public Operation {
 public:
  Product(const float* kernel, const float* bias, int64_t features, int64_t units)
      : kernel_(kernel), bias_(bias), features_(features), units_(units) {}
  int64_t width() const override { return units_; }
  double products() const override { return static_cast<double>(features_) * static_cast<double>(units_); }

  void run(Chunk& chunk, const void* from, float* to, const float* const*, float* const*) const override {
    const float* values = static_cast<const float*>(from);
    const int64_t tiles = (units_ + tile - 1) / tile;
    auto work = [&](int member) {
      const int members = chunk.team.size();
      for (int64_t at = tiles * member / members; at < tiles * (member + 1) / members; ++at)
        for (int64_t row = 0; row < chunk.rows(); ++row)
          columns(values + row * features_, to + row * units_, at * tile, std::min(tile, units_ - at * tile));
    };
    // Few columns are not worth calling the others.
    if (tiles < chunk.team.size() || products() * static_cast<double>(chunk.rows()) < worth_a_team) {
      for (int64_t at = 0; at < tiles; ++at)
        for (int64_t row = 0; row < chunk.rows(); ++row)
          columns(values + row * features_, to + row * units_, at * tile, std::min(tile, units_ - at * tile));
    } else {
      chunk.team.run(work);
    }
  }

 private:
  static constexpr int64_t tile = 64;

  void columns(const float* values, float* to, int64_t first, int64_t count) const {
    float sums[tile] = {};
    if (bias_ != nullptr) std::copy_n(bias_ + first, count, sums);
    if (count == tile) {
      add<tile>(values, first, tile, sums);
    } else {
      add<0>(values, first, count, sums);
    }
    std::copy_n(sums, count, to + first);
  }

  template <int64_t known>
  void add(const float* values, int64_t first, int64_t count, float* sums) const {
    const int64_t all = known ? known : count;
    for (int64_t feature = 0; feature < features_; ++feature) {
      const float value = values[feature];
      const float* weights = kernel_ + feature * units_ + first;
      for (int64_t unit = 0; unit < all; ++unit) sums[unit] += value * weights[unit];
    }
  }

  const float *kernel_, *bias_;
  int64_t features_, units_;
};

float activated(Function function, float x) {
  switch (function) {
    case Function::linear: return x;
    case Function::tanh: return std::tanh(x);
    case Function::sigmoid: return 1 / (1 + std::exp(-x));
    case Function::relu: return x > 0 || std::isnan(x) ? x : 0;
    case Function::hard_sigmoid: return std::isnan(x) ? x : std::clamp(x + 3, 0.0f, 6.0f) / 6;
  }
  return x;
}

class Activation : public Operation {
 public:
  Activation(Function function, int64_t width) : function_(function), width_(width) {}
  int64_t width() const override { return width_; }

  void run(Chunk& chunk, const void* from, float* to, const float* const*, float* const*) const override {
    const float* values = static_cast<const float*>(from);
    std::transform(values, values + chunk.rows() * width_, to, [this](float x) { return activated(function_, x); });
  }

 private:
  Function function_;
  int64_t width_;
};

class Softmax : public Operation {
 public:
  explicit Softmax(int64_t width) : width_(width) {}
  int64_t width() const override { return width_; }

  void run(Chunk& chunk, const void* from, float* to, const float* const*, float* const*) const override {
    if (width_ == 0) return;  // of no numbers none is the largest
    const float* values = static_cast<const float*>(from);
    for (int64_t row = 0; row < chunk.rows(); ++row, values += width_, to += width_) {
      const float largest = *std::max_element(values, values + width_);
      float total = 0;
      for (int64_t unit = 0; unit < width_; ++unit) total += to[unit] = std::exp(values[unit] - largest);
      for (int64_t unit = 0; unit < width_; ++unit) to[unit] /= total;
    }
  }

 private:
  int64_t width_;
};

struct Free {
  void operator()(void* data) const { ::operator delete(data, std::align_val_t(64)); }
};

class Loop : public Operation {
 public:
  Loop(const Path& path, const Setting& setting, int64_t features, int64_t units, const LoopWeights& weights, bool last)
      : path_(path), setting_(setting), features_(features), units_(units), weights_(weights), last_(last) {
    const Sizes sizes{1, 1, features, units};
    const size_t bytes = std::max<size_t>(1, static_cast<size_t>(path.packed_size(setting, sizes)));
    packed_.reset(::operator new(bytes, std::align_val_t(64)));
    Borrowed borrowed(1);
    path.pack(setting, sizes, weights.kernel, weights.recurrent_kernel, packed_.get(), borrowed.team());
  }

  int64_t width() const override { return units_; }
  std::vector<int64_t> states() const override {
    return std::vector<int64_t>(setting_.cell == Cell::lstm ? 2 : 1, units_);
  }
  double products() const override {
    const int blocks = setting_.cell == Cell::simple ? 1 : setting_.cell == Cell::lstm ? 4 : 3;
    return static_cast<double>(features_ + units_) * static_cast<double>(units_) * blocks;
  }

  void run(Chunk& chunk, const void* from, float* to, const float* const* before, float* const* after) const override {
    Inputs inputs{};
    if (weights_.kernel != nullptr) {
      inputs.values = from;
    } else {
      inputs.projected = static_cast<const float*>(from);
    }
    inputs.bias = weights_.bias;
    inputs.recurrent_bias = weights_.recurrent_bias;
    inputs.peepholes = weights_.peepholes;
    inputs.segments = chunk.segments;
    Outputs outputs{};
    outputs.values = to;
    for (size_t state = 0; state < states().size(); ++state) {
      inputs.initial[state] = before[state];
      outputs.last[state] = after[state];
    }
    path_.forward(setting_, {chunk.batch, chunk.steps, features_, units_}, inputs, packed_.get(), outputs, chunk.team);
    if (!last_) return;
    std::copy_n(after[0], chunk.batch * units_, to);
    chunk.steps = 1;
    chunk.segments = nullptr;
  }

 private:
  const Path& path_;
  Setting setting_;
  int64_t features_, units_;
  LoopWeights weights_;
  bool last_;
  std::unique_ptr<void, Free> packed_;
};

}  // namespace

std::unique_ptr<Operation> embedding(const float* table, int64_t count, int64_t width) {
  return std::make_unique<Embedding>(table, count, width);
}

std::unique_ptr<Operation> product(const float* kernel, const float* bias, int64_t features, int64_t units) {
  return std::make_unique<Product>(kernel, bias, features, units);
}

std::unique_ptr<Operation> activation(Function function, int64_t width) {
  return std::make_unique<Activation>(function, width);
}

std::unique_ptr<Operation> softmax(int64_t width) { return std::make_unique<Softmax>(width); }

std::unique_ptr<Operation> loop(const Path& path, const Setting& setting, int64_t features, int64_t units,
                                const LoopWeights& weights, bool last) {
  return std::make_unique<Loop>(path, setting, features, units, weights, last);
}

Stepper::Stepper(const Operations& operations, int64_t batch) : operations_(operations), batch_(batch) {
  for (const auto& operation : operations)
    for (int64_t units : operation->states()) now_.emplace_back(static_cast<size_t>(batch * units));
  next_ = now_;
}

void Stepper::run(const void* inputs, const int32_t* segments, int64_t steps, float* outputs) {
  double products = 0;
  int64_t widest = 0;
  for (const auto& operation : operations_) {
    products += operation->products();
    widest = std::max(widest, operation->width());
  }
  const size_t most = static_cast<size_t>(batch_ * steps * widest);
  for (auto& buffer : buffers_)
    if (buffer.size() < most) buffer.resize(most);
  const bool together = products * static_cast<double>(batch_ * steps) >= worth_a_team;
  Borrowed borrowed(together ? team_size() : 1);
  Chunk chunk{batch_, steps, segments, borrowed.team()};
  size_t state = 0;
  int turn = 0;
  for (const auto& operation : operations_) {
    const float* before[2] = {};
    float* after[2] = {};
    for (size_t number = 0; number < operation->states().size(); ++number, ++state) {
      before[number] = now_[state].data();
      after[number] = next_[state].data();
    }
    float* to = buffers_[turn].data();
    operation->run(chunk, inputs, to, before, after);
    inputs = to;
    turn = 1 - turn;
  }
  std::memcpy(outputs, inputs, sizeof(float) * static_cast<size_t>(chunk.rows() * operations_.back()->width()));
  now_.swap(next_);
}

}  // namespace everystep
