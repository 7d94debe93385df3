#define EVERYSTEP_ISA avx512
#include "path.inc.h"

namespace everystep {
extern const Path path_avx512;
const Path path_avx512 = avx512::path<avx512::By<avx512::InRegisters<avx512::Single>>, avx512::By<avx512::InRegisters<avx512::Widened>>>("avx512", false);
}  // namespace everystep
