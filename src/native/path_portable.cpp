#define EVERYSTEP_ISA portable
#include "path.inc.h"

namespace everystep {
extern const Path path_portable;
const Path path_portable = portable::path<portable::By<portable::InRegisters<portable::Single>>, portable::By<portable::InRegisters<portable::Widened>>>("portable", false);
}  // namespace everystep
