#define EVERYSTEP_ISA avx512
#include "path.inc.h"

namespace everystep {
extern const Path path_avx512;
const Path path_avx512{"avx512", avx512::packed_size, avx512::kept_size, avx512::pack, avx512::forward, avx512::backward};
}  // namespace everystep
