#include "recurrent.h"

namespace everystep {

extern const Path path_portable;
extern const Path path_avx2, path_avx512;

const std::vector<const Path*>& paths() {
  static const std::vector<const Path*> usable = [] {
    std::vector<const Path*> found;
#if defined(__x86_64__) && !defined(EVERYSTEP_WITHOUT_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
      found.push_back(&path_avx512);
#endif
#if defined(__x86_64__) && !defined(EVERYSTEP_WITHOUT_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&path_avx2);
#endif
    found.push_back(&path_portable);
    return found;
  }();
  return usable;
}

}  // namespace everystep
