#define EVERYSTEP_ISA amx
#include "path.inc.h"
#include "tiles.h"

namespace everystep {
extern const Path path_avx512, path_amx;
const Path path_amx = amx::path<amx::As<path_avx512>, amx::By<amx::InTiles>>("amx", true);
}  // namespace everystep
