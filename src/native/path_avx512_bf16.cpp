#define EVERYSTEP_ISA avx512_bf16
#include "path.inc.h"

namespace everystep {
extern const Path path_avx512, path_avx512_bf16;
const Path path_avx512_bf16 =
    avx512_bf16::path<avx512_bf16::As<path_avx512>, avx512_bf16::By<avx512_bf16::InRegisters<avx512_bf16::Paired>>>(
        "avx512_bf16", true);
}  // namespace everystep
