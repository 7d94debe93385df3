// The activations for one set of instructions, as functions of arrays that the test calls.
#pragma once

namespace everystep {

struct FunctionsPath {
  const char* name;
  int lanes;
  void (*tanh)(const float* x, float* y);  // of `lanes` numbers, as all of these
  void (*sigmoid)(const float* x, float* y);
  void (*activate[5])(const float* x, float* y);  // by Function
  void (*slope[5])(const float* y, float* gradient);
  FunctionsPath* next;
};

// All that were compiled in, whether this processor can run them or not.
extern FunctionsPath* functions_paths;

}  // namespace everystep
