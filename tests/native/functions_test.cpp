// Activations against double precision: over a sample of all float32 values, or with "all" over each of them.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "check.h"
#include "functions_path.h"
#include "recurrent.h"

namespace everystep {

FunctionsPath* functions_paths = nullptr;

namespace {

// The bounds that functions.h states.
constexpr double tanh_bound = 2.6, sigmoid_bound = 2.5;
constexpr float smallest_normal = std::numeric_limits<float>::min();
constexpr int most_lanes = 16;

std::vector<const FunctionsPath*> usable() {
  std::vector<const FunctionsPath*> found;
  for (const FunctionsPath* functions = functions_paths; functions != nullptr; functions = functions->next)
    for (const Path* path : paths())
      if (!std::strcmp(path->name, functions->name)) found.push_back(functions);
  return found;
}

float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// In units of the last place of the nearest float32.
double error_of(float got, double want) {
  int exponent;
  std::frexp(static_cast<float>(want), &exponent);
  return std::fabs(got - want) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double error = 0;
  float at = 0;
  void see(double here, float x) {
    if (here > error) *this = {here, x};
  }
};

struct Errors {
  Worst tanh, sigmoid;
};

void see_tanh(const FunctionsPath& path, float x, float y, float of_minus_x, double want, Errors& errors) {
  CHECK(bits_of(y) == (bits_of(of_minus_x) ^ 0x80000000u), "%s: tanh of +-%a is %a and %a", path.name, x, y, of_minus_x);
  CHECK(y >= 0 && y <= 1, "%s: tanh(%a) is %a", path.name, x, y);
  if (static_cast<float>(want) == 1) CHECK(y == 1, "%s: tanh(%a) is %a", path.name, x, y);
  const double error = error_of(y, want);
  CHECK(error <= tanh_bound, "%s: tanh(%a) is %a, off by %g units in the last place", path.name, x, y, error);
  errors.tanh.see(error, x);
}

void see_sigmoid(const FunctionsPath& path, float x, float y, double want, Errors& errors) {
  CHECK(y >= 0 && y <= 1, "%s: sigmoid(%a) is %a", path.name, x, y);
  if (static_cast<float>(want) == 1) CHECK(y == 1, "%s: sigmoid(%a) is %a", path.name, x, y);
  if (want < smallest_normal) {
    CHECK(y <= smallest_normal, "%s: sigmoid(%a) is %a", path.name, x, y);
    return;
  }
  const double error = error_of(y, want);
  CHECK(error <= sigmoid_bound, "%s: sigmoid(%a) is %a, off by %g units in the last place", path.name, x, y, error);
  errors.sigmoid.see(error, x);
}

// Numbers from first to last, in bits without the sign, `stride` apart, and their negatives.
void test_range(const std::vector<const FunctionsPath*>& all, uint32_t first, uint32_t last, uint32_t stride,
                std::vector<Errors>& errors) {
  const uint32_t infinity = bits_of(std::numeric_limits<float>::infinity());
  for (uint64_t from = first; from < last; from += uint64_t{stride} * most_lanes) {
    float x[2][most_lanes];
    double tanh[most_lanes], sigmoid[2][most_lanes];
    for (int lane = 0; lane < most_lanes; ++lane) {
      const uint64_t bits = from + uint64_t{stride} * static_cast<uint64_t>(lane);
      x[0][lane] = from_bits(static_cast<uint32_t>(std::min<uint64_t>(bits, infinity)));
      x[1][lane] = -x[0][lane];
      tanh[lane] = std::tanh(static_cast<double>(x[0][lane]));
      for (int sign = 0; sign < 2; ++sign) sigmoid[sign][lane] = 1 / (1 + std::exp(-static_cast<double>(x[sign][lane])));
    }
    for (size_t number = 0; number < all.size(); ++number) {
      const FunctionsPath& path = *all[number];
      float y[2][most_lanes], s[2][most_lanes];
      for (int sign = 0; sign < 2; ++sign) {
        for (int lane = 0; lane < most_lanes; lane += path.lanes) {
          path.tanh(x[sign] + lane, y[sign] + lane);
          path.sigmoid(x[sign] + lane, s[sign] + lane);
        }
      }
      for (int lane = 0; lane < most_lanes; ++lane) {
        see_tanh(path, x[0][lane], y[0][lane], y[1][lane], tanh[lane], errors[number]);
        for (int sign = 0; sign < 2; ++sign)
          see_sigmoid(path, x[sign][lane], s[sign][lane], sigmoid[sign][lane], errors[number]);
      }
    }
  }
}

void test_everywhere(const std::vector<const FunctionsPath*>& all, uint32_t stride) {
  const uint32_t end = bits_of(std::numeric_limits<float>::infinity()) + 1;
  const unsigned parts = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::vector<Errors>> errors(parts, std::vector<Errors>(all.size()));
  std::vector<std::thread> threads;
  for (unsigned part = 0; part < parts; ++part) {
    const uint32_t first = static_cast<uint32_t>(uint64_t{end} * part / parts);
    const uint32_t last = static_cast<uint32_t>(uint64_t{end} * (part + 1) / parts);
    threads.emplace_back([&, part, first, last] { test_range(all, first, last, stride, errors[part]); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t number = 0; number < all.size(); ++number) {
    Errors worst;
    for (const std::vector<Errors>& part : errors) {
      worst.tanh.see(part[number].tanh.error, part[number].tanh.at);
      worst.sigmoid.see(part[number].sigmoid.error, part[number].sigmoid.at);
    }
    std::printf("%s: tanh within %.3f units in the last place (at %a), sigmoid within %.3f (at %a)\n", all[number]->name,
                worst.tanh.error, worst.tanh.at, worst.sigmoid.error, worst.sigmoid.at);
  }
}

float one(void (*function)(const float*, float*), float x) {
  float in[most_lanes], out[most_lanes];
  for (float& value : in) value = x;
  function(in, out);
  return out[0];
}

bool is(float got, float want) { return bits_of(got) == bits_of(want); }

void test_specials(const FunctionsPath& path) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(is(one(path.tanh, -0.0f), -0.0f) && is(one(path.tanh, 0.0f), 0.0f), "%s", path.name);
  CHECK(is(one(path.tanh, infinity), 1) && is(one(path.tanh, -infinity), -1), "%s", path.name);
  CHECK(is(one(path.sigmoid, infinity), 1) && is(one(path.sigmoid, -infinity), 0), "%s", path.name);
  CHECK(is(one(path.sigmoid, 0), 0.5f) && is(one(path.sigmoid, -0.0f), 0.5f), "%s", path.name);
  CHECK(is(one(path.sigmoid, -88), 0) && one(path.sigmoid, -87) > 0, "%s", path.name);
  for (float bad : {nan, -nan, from_bits(0x7f800001u), from_bits(0xffffffffu)})
    for (auto function : path.activate)
      CHECK(std::isnan(one(function, bad)), "%s: %a gives %a", path.name, bad, one(function, bad));
}

double limited(double x) { return std::min(std::max(x, 0.0), 6.0) / 6; }

void test_activations_and_slopes(const FunctionsPath& path) {
  for (float x : {-1e30f, -7.5f, -3.0f, -2.875f, -1.0f, -1e-20f, 0.0f, 1e-20f, 0.375f, 1.0f, 2.875f, 3.0f, 4.0f, 1e30f}) {
    const double value[5] = {x, std::tanh(double{x}), 1 / (1 + std::exp(-double{x})), std::max(double{x}, 0.0),
                             limited(double{x} + 3)};
    for (int which = 0; which < 5; ++which) {
      const float y = one(path.activate[which], x);
      CHECK(error_of(y, value[which]) <= 2.5, "%s: function %d of %a is %a", path.name, which, x, y);
      const double known = y;
      const double slope[5] = {1, 1 - known * known, known * (1 - known), known > 0 ? 1.0 : 0.0,
                               known > 0 && known < 1 ? 1 / 6.0 : 0.0};
      const float got = one(path.slope[which], y);
      CHECK(std::fabs(got - slope[which]) <= 1e-7, "%s: slope %d at %a is %a", path.name, which, y, got);
    }
  }
}

}  // namespace
}  // namespace everystep

int main(int count, char** arguments) {
  using namespace everystep;
  const bool all = count > 1 && !std::strcmp(arguments[1], "all");
  const std::vector<const FunctionsPath*> found = usable();
  CHECK(!found.empty(), "no path was compiled in");
  for (const FunctionsPath* path : found) {
    test_specials(*path);
    test_activations_and_slopes(*path);
  }
  test_everywhere(found, all ? 1 : 1009);
}
