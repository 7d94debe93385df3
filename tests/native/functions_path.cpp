// Compiled once for each set of instructions, which EVERYSTEP_ISA names.
#include "functions_path.h"

#include "functions.h"

namespace everystep {
namespace EVERYSTEP_ISA {

template <Function which>
static void activate_array(const float* x, float* y) {
  store(y, activate<which>(load(x)));
}

template <Function which>
static void slope_array(const float* y, float* gradient) {
  store(gradient, slope<which>(load(y)));
}

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)

static FunctionsPath functions{
    NAME(EVERYSTEP_ISA),
    lanes,
    activate_array<Function::tanh>,
    activate_array<Function::sigmoid>,
    {activate_array<Function::linear>, activate_array<Function::tanh>, activate_array<Function::sigmoid>,
     activate_array<Function::relu>, activate_array<Function::hard_sigmoid>},
    {slope_array<Function::linear>, slope_array<Function::tanh>, slope_array<Function::sigmoid>,
     slope_array<Function::relu>, slope_array<Function::hard_sigmoid>},
    nullptr};

static const bool listed = [] {
  functions.next = functions_paths;
  functions_paths = &functions;
  return true;
}();

}  // namespace EVERYSTEP_ISA
}  // namespace everystep
