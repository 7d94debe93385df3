#define EVERYSTEP_ISA avx2
#include "path.inc.h"

namespace everystep {
extern const Path path_avx2;
const Path path_avx2 = avx2::path<avx2::By<avx2::InRegisters<avx2::Single>>, avx2::By<avx2::InRegisters<avx2::Widened>>>("avx2", false);
}  // namespace everystep
