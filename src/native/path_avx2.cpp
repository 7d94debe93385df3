#define EVERYSTEP_ISA avx2
#include "path.inc.h"

namespace everystep {
extern const Path path_avx2;
const Path path_avx2{"avx2", avx2::packed_size, avx2::kept_size, avx2::pack, avx2::forward, avx2::backward};
}  // namespace everystep
