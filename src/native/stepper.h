// Live sequences: a model as a list of operations on rows, its weights packed once, its states kept between calls.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "recurrent.h"

namespace everystep {

class Team;

// What is the same for all operations of a call. Behind a loop that gives its last output alone there is one step.
struct Chunk {
  int64_t batch, steps;
  const int32_t* segments;  // (batch, steps) or nullptr; 0 is padding
  Team& team;

  int64_t rows() const { return batch * steps; }
};

class Operation {
 public:
  virtual ~Operation() = default;
  // Floats that it gives for each step.
  virtual int64_t width() const = 0;
  // Floats of each state of one row.
  virtual std::vector<int64_t> states() const { return {}; }
  // Multiply-adds for one step of one row.
  virtual double products() const { return 0; }
  // Reads the rows of `from`, (batch, steps, features), and writes `to`, (batch, steps, width). The states before are
  // read, those after are written.
  virtual void run(Chunk& chunk, const void* from, float* to, const float* const* before, float* const* after) const = 0;
};

// Arrays are row-major and dense, and stay where they are: whoever gives them keeps them for as long.
std::unique_ptr<Operation> embedding(const float* table, int64_t count, int64_t width);
std::unique_ptr<Operation> product(const float* kernel, const float* bias, int64_t features, int64_t units);
std::unique_ptr<Operation> activation(Function function, int64_t width);
std::unique_ptr<Operation> softmax(int64_t width);

struct LoopWeights {
  const float* kernel;                               // (features, shares), or nullptr: its inputs are shares
  const float* recurrent_kernel;                     // (units, shares)
  const float *bias, *recurrent_bias, *peepholes;    // as in Inputs
};
// `last`: only the output of the last step is given on.
// `features` is 0 where there is no kernel.
std::unique_ptr<Operation> loop(const Path& path, const Setting& setting, int64_t features, int64_t units,
                                const LoopWeights& weights, bool last);

using Operations = std::vector<std::unique_ptr<Operation>>;

// So many sequences side by side, and where they are.
class Stepper {
 public:
  // The operations must outlive it.
  Stepper(const Operations& operations, int64_t batch);

  // Inputs are int32 ids, (batch, steps), for an embedding, else floats, (batch, steps, features). What comes out is
  // `width` floats for each row and step, or for each row where a loop gives its last output alone.
  // Throws std::out_of_range for an id that is not in the table; then no state has changed.
  void run(const void* inputs, const int32_t* segments, int64_t steps, float* outputs);

  int64_t batch() const { return batch_; }
  // The states of all operations in order, each (batch, units).
  std::vector<std::vector<float>>& states() { return now_; }

 private:
  const Operations& operations_;
  int64_t batch_;
  std::vector<std::vector<float>> now_, next_;
  std::vector<float> buffers_[2];
};

}  // namespace everystep
