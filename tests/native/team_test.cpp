// Teams: that all take part and meet, that nobody waits for one who failed or is not there, and what fork leaves.
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "team.h"

// ThreadSanitizer would else end a child that starts threads, as a child of ours must.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace everystep {
namespace {

// Each member adds what all wrote in the step before, between meetings: plain memory, which a race would spoil.
void test_meetings(int members) {
  set_team_size(members);
  Borrowed borrowed(members);
  Team& team = borrowed.team();
  CHECK(team.size() == members, "%d of %d", team.size(), members);
  const int runs = 20, steps = 200;
  std::vector<uint64_t> now(static_cast<size_t>(members)), next(static_cast<size_t>(members));
  for (int run = 0; run < runs; ++run) {
    for (size_t member = 0; member < now.size(); ++member) now[member] = member + 1;
    team.run([&](int member) {
      for (int step = 0; step < steps; ++step) {
        uint64_t sum = static_cast<uint64_t>(member);
        for (uint64_t value : now) sum += value;
        next[static_cast<size_t>(member)] = sum;
        team.meet();
        now[static_cast<size_t>(member)] = next[static_cast<size_t>(member)];
        team.meet();
      }
    });
    std::vector<uint64_t> want(now.size());
    for (size_t member = 0; member < want.size(); ++member) want[member] = member + 1;
    for (int step = 0; step < steps; ++step) {
      uint64_t sum = 0;
      for (uint64_t value : want) sum += value;
      for (size_t member = 0; member < want.size(); ++member) want[member] = sum + member;
    }
    CHECK(now == want, "%d members, run %d", members, run);
  }
}

void test_runs() {
  set_team_size(3);
  Borrowed borrowed(3);
  std::vector<int> calls(3);
  for (int run = 0; run < 5000; ++run) {
    // Now and then so late that the others sleep.
    if (run % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    borrowed.team().run([&](int member) { ++calls[static_cast<size_t>(member)]; });
    for (int count : calls) CHECK(count == run + 1, "%d calls in run %d", count, run);
  }
}

void test_fewer_members() {
  set_team_size(3);
  for (int most : {3, 2, 1, 5, 2}) {
    Borrowed borrowed(most);
    const int size = std::min(most, 3);
    CHECK(borrowed.team().size() == size, "%d of at most %d", borrowed.team().size(), most);
    std::atomic<int> calls{0};
    borrowed.team().run([&](int) {
      borrowed.team().meet();
      ++calls;
    });
    CHECK(calls == size, "%d calls of %d", calls.load(), size);
  }
}

void test_nested() {
  set_team_size(2);
  Borrowed outer(2);
  Borrowed inner(2), innermost(2);
  CHECK(outer.team().size() == 2 && inner.team().size() == 1 && innermost.team().size() == 1, "the team was given twice");
  CHECK(inner.team().scratch(0, 8) != innermost.team().scratch(0, 8), "two teams share their scratch");
  int calls = 0;
  inner.team().run([&](int member) {
    inner.team().meet();
    calls += member + 1;
  });
  CHECK(calls == 1, "%d", calls);
}

void test_many_borrowers() {
  set_team_size(2);
  std::vector<std::thread> threads;
  std::atomic<int> together{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 300; ++round) {
        Borrowed borrowed(2);
        Team& team = borrowed.team();
        auto* own = static_cast<int*>(team.scratch(thread % 2, 64));
        *own = thread * 1000 + round;
        std::vector<int> seen(static_cast<size_t>(team.size()));
        team.run([&](int member) {
          team.meet();
          seen[static_cast<size_t>(member)] = *own;
        });
        for (int value : seen) CHECK(value == thread * 1000 + round, "another's %d", value);
        if (team.size() == 2) ++together;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(together > 0, "nobody had the team");
}

void test_failures() {
  set_team_size(3);
  Borrowed borrowed(3);
  Team& team = borrowed.team();
  for (int round = 0; round < 200; ++round) {
    const int failing = round % 3;
    std::string message;
    try {
      team.run([&](int member) {
        for (int step = 0; step < 50; ++step) {
          if (member == failing && step == round % 50) throw std::runtime_error("step " + std::to_string(step));
          team.meet();
        }
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "step " + std::to_string(round % 50), "\"%s\" in round %d", message.c_str(), round);
    std::atomic<int> calls{0};
    team.run([&](int) {
      team.meet();
      ++calls;
    });
    CHECK(calls == 3, "%d calls after a failure", calls.load());
  }
}

void test_scratch() {
  Borrowed borrowed(2);
  Team& team = borrowed.team();
  for (int slot : {3, 0}) {
    char* first = static_cast<char*>(team.scratch(slot, 100));
    std::memset(first, 1, 100);
    CHECK(reinterpret_cast<uintptr_t>(first) % 64 == 0, "slot %d", slot);
    CHECK(team.scratch(slot, 90) == first, "less is asked for, and slot %d moves", slot);
    char* more = static_cast<char*>(team.scratch(slot, 100000));
    std::memset(more, 2, 100000);
    CHECK(reinterpret_cast<uintptr_t>(more) % 64 == 0, "slot %d", slot);
  }
  CHECK(team.scratch(1, 0) != nullptr, "no memory of no bytes");
}

// All members round as the caller does.
void test_arithmetic() {
  set_team_size(2);
  Borrowed borrowed(2);
  for (int mode : {FE_UPWARD, FE_TONEAREST}) {
    CHECK(std::fesetround(mode) == 0, "cannot round in mode %d", mode);
    volatile float one = 1, little = 1e-10f;
    float sums[2] = {};
    borrowed.team().run([&](int member) { sums[member] = one + little; });
    for (float sum : sums) CHECK((sum > 1) == (mode == FE_UPWARD), "%a in mode %d", sum, mode);
  }
}

void test_fork() {
  set_team_size(2);
  Borrowed borrowed(2);  // held, as if another thread computed
  borrowed.team().run([](int) {});
  const pid_t child = fork();
  CHECK(child >= 0, "no child");
  if (child == 0) {
    alarm(20);
    Borrowed of_child(2);
    std::atomic<int> calls{0};
    of_child.team().run([&](int) {
      of_child.team().meet();
      ++calls;
    });
    _exit(of_child.team().size() == 2 && calls == 2 ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child, "the child is gone");
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
  std::atomic<int> calls{0};
  borrowed.team().run([&](int) { ++calls; });
  CHECK(calls == 2, "%d calls after fork", calls.load());
}

double seconds_of_processor() {
  rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0, "no usage");
  auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void test_idle() {
  set_team_size(4);
  Borrowed borrowed(4);
  borrowed.team().run([](int) {});
  const double before = seconds_of_processor();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double used = seconds_of_processor() - before;
  CHECK(used < 0.1, "an idle team used %g s of 0.3", used);
}

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

// In a child, since the variable is read once: so ahead of all that reads it.
void test_environment(const char* value, int size, const char* message) {
  const pid_t child = fork();
  CHECK(child >= 0, "no child");
  if (child == 0) {
    setenv("EVERYSTEP_THREADS", value, 1);
    int found = 0;
    const std::string refused = refusal([&] { found = team_size(); });
    const bool right = message == nullptr ? found == size : refused.find(message) != std::string::npos;
    if (!right) std::fprintf(stderr, "EVERYSTEP_THREADS=%s: %d, \"%s\"\n", value, found, refused.c_str());
    _exit(right ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "EVERYSTEP_THREADS=%s", value);
}

void test_sizes() {
  test_environment("3", 3, nullptr);
  test_environment("1024", 1024, nullptr);
  test_environment("0", 0, "a team of 0 threads; give 1 to 1024");
  test_environment("-2", 0, "a team of -2 threads");
  test_environment("2x", 0, "EVERYSTEP_THREADS is \"2x\"; give a whole number of threads, 1 to 1024");
  test_environment("99999999999", 0, "EVERYSTEP_THREADS is \"99999999999\"");
  for (int bad : {0, -1, 1025}) CHECK(!refusal([&] { set_team_size(bad); }).empty(), "a team of %d", bad);
}

}  // namespace
}  // namespace everystep

int main() {
  using namespace everystep;
  test_sizes();
  setenv("EVERYSTEP_THREADS", "", 1);
  CHECK(team_size() >= 1, "%d", team_size());
  test_fork();
  for (int members : {1, 2, 3, 4, 5}) test_meetings(members);
  test_runs();
  test_fewer_members();
  test_nested();
  test_many_borrowers();
  test_failures();
  test_scratch();
  test_arithmetic();
  test_idle();
  set_team_size(1);
  Borrowed last(2);  // lets the threads go, so that a sanitizer finds none left
}
