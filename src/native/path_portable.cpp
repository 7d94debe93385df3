#define EVERYSTEP_ISA portable
#include "path.inc.h"

namespace everystep {
extern const Path path_portable;
const Path path_portable{"portable", portable::packed_size, portable::kept_size, portable::pack, portable::forward, portable::backward};
}  // namespace everystep
