#pragma once

#include <nanobind/nanobind.h>

namespace everystep {

// Adds the classes Operations and Stepper to the module.
void bind_stepper(nanobind::module_& module);

}  // namespace everystep
