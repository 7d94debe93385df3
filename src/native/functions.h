// Sigmoid, tanh and the other activations on vectors, and their derivatives by what they gave.
#pragma once

#include "recurrent.h"
#include "vector.h"

namespace everystep::EVERYSTEP_ISA {

EVERYSTEP_INLINE Floats sigmoid(Floats x);
EVERYSTEP_INLINE Floats tanh(Floats x);

// function(x), with `which` known when it is compiled.
template <Function which>
EVERYSTEP_INLINE Floats activate(Floats x);

// d function(x) / dx, from y = function(x).
template <Function which>
EVERYSTEP_INLINE Floats slope(Floats y);

}  // namespace everystep::EVERYSTEP_ISA
