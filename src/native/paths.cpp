#include "recurrent.h"

#if defined(__x86_64__) && !defined(EVERYSTEP_WITHOUT_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace everystep {

extern const Path path_portable, path_avx2, path_avx512, path_avx512_bf16, path_amx;

#if defined(__x86_64__) && !defined(EVERYSTEP_WITHOUT_AMX)
// Whether the processor has tiles of bfloat16 and Linux lets this process use them, which must be asked for.
static bool has_amx() {
  unsigned a, b, c, d;
  constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (bfloat16 | tiles)) != (bfloat16 | tiles)) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#endif

const std::vector<const Path*>& paths() {
  static const std::vector<const Path*> usable = [] {
    std::vector<const Path*> found;
#if defined(__x86_64__)
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool bfloat16 = avx512 && __builtin_cpu_supports("avx512bf16");
    // Intel's cores take two cycles for a product of pairs, and so are faster with float32.
    const bool fast = __builtin_cpu_is("amd");
#if !defined(EVERYSTEP_WITHOUT_AMX)
    if (bfloat16 && has_amx()) found.push_back(&path_amx);
#endif
#if !defined(EVERYSTEP_WITHOUT_AVX512_BF16)
    if (bfloat16 && fast) found.push_back(&path_avx512_bf16);
#endif
#if !defined(EVERYSTEP_WITHOUT_AVX512)
    if (avx512) found.push_back(&path_avx512);
#endif
#if !defined(EVERYSTEP_WITHOUT_AVX512_BF16)
    if (bfloat16 && !fast) found.push_back(&path_avx512_bf16);
#endif
#if !defined(EVERYSTEP_WITHOUT_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&path_avx2);
#endif
#endif
    found.push_back(&path_portable);
    return found;
  }();
  return usable;
}

}  // namespace everystep
