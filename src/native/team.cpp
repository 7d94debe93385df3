#include "team.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace everystep {
namespace {

using Clock = std::chrono::steady_clock;

// How long one who waits keeps its core for itself. For another member briefly: where programs share the cores, that
// one may be waiting for this very core. For the next run longer, since waking from sleep takes ten microseconds.
constexpr auto patience = std::chrono::microseconds(5), idle_patience = std::chrono::microseconds(30);
constexpr auto courtesy = std::chrono::milliseconds(1);  // how long it then offers its core to others
constexpr auto nap = std::chrono::microseconds(50);
constexpr int looks = 32;  // from one glance at the clock to the next
constexpr int most_members = 1024;
constexpr size_t line = 64;

void pause() {
#if defined(__SSE2__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Looks again and again, keeping the core, until ready() or for so long.
template <class Ready>
bool spin(std::chrono::microseconds most, Ready&& ready) {
  const auto look = [&] {
    for (int i = 0; i < looks; ++i) {
      if (ready()) return true;
      pause();
    }
    return false;
  };
  if (look()) return true;
  for (const Clock::time_point end = Clock::now() + most; Clock::now() < end;)
    if (look()) return true;
  return false;
}

// For what is to come while work goes on. Who has waited for long must do so for one whose core is taken by others:
// first the core is offered, then let go.
template <class Ready>
void await(Ready&& ready) {
  if (spin(patience, ready)) return;
  const Clock::time_point end = Clock::now() + courtesy;
  while (!ready()) {
    if (Clock::now() < end) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(nap);
    }
  }
}

// How a thread rounds and what it does with numbers below the smallest normal one: all members go by the caller, or
// bits would depend on who computes them.
class Arithmetic {
 public:
#if defined(__SSE2__)
  Arithmetic() : bits_(_mm_getcsr() & ~flags) {}
  void apply() const {
    if (Arithmetic().bits_ != bits_) _mm_setcsr(bits_);
  }

 private:
  static constexpr unsigned flags = 0x3f;  // of what has happened, not of what is to be done
  unsigned bits_;
#elif defined(__aarch64__)
  Arithmetic() { asm volatile("mrs %0, fpcr" : "=r"(bits_)); }
  void apply() const {
    if (Arithmetic().bits_ != bits_) asm volatile("msr fpcr, %0" : : "r"(bits_));
  }

 private:
  uint64_t bits_;
#else
  void apply() const {}
#endif
};

class Memory {
 public:
  void* at_least(size_t bytes) {
    if (bytes > size_ || !data_) {
      const size_t whole = bytes == 0 ? line : (bytes + line - 1) / line * line;
      data_.reset();
      size_ = 0;
      data_.reset(::operator new(whole, std::align_val_t(line)));
      size_ = whole;
    }
    return data_.get();
  }

 private:
  struct Free {
    void operator()(void* data) const { ::operator delete(data, std::align_val_t(line)); }
  };
  std::unique_ptr<void, Free> data_;
  size_t size_ = 0;
};

// A team of this process, with what is left to its borrower.
class Owned : public Team {
 public:
  virtual void release() = 0;

  void* scratch(int slot, size_t bytes) override {
    const size_t place = static_cast<size_t>(slot);
    if (place >= scratch_.size()) scratch_.resize(place + 1);
    return scratch_[place].at_least(bytes);
  }

 private:
  std::vector<Memory> scratch_;
};

// Thrown out of `meet` where a member that failed can no longer come.
struct Abandoned {};

// Which member of the crew this thread is; who borrowed it is the first.
thread_local int this_member = 0;

class Crew : public Owned {
 public:
  Crew(int members, std::mutex& taken) : taken_(taken), members_(static_cast<size_t>(members)), size_(members) {
    // Signals are for the threads of the program, which know what to do with them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (int member = 1; member < members; ++member) at(member).thread = std::thread([this, member] { serve(member); });
    } catch (const std::exception& error) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      dismiss();
      throw std::runtime_error("everystep could not start a team of " + std::to_string(members) + " threads (" +
                               error.what() + "); set the environment variable EVERYSTEP_THREADS to fewer");
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~Crew() override { dismiss(); }

  int members() const { return static_cast<int>(members_.size()); }
  void use(int members) { size_ = members; }
  void release() override { taken_.unlock(); }
  int size() const override { return size_; }

  void run(const std::function<void(int)>& work) override {
    if (size_ == 1) return work(0);
    work_ = &work;
    arithmetic_ = Arithmetic();
    failed_.store(false, std::memory_order_relaxed);
    for (Member& member : members_) member.met.store(0, std::memory_order_relaxed);
    ++number_;
    for (int member = 1; member < size_; ++member) at(member).call(number_);
    perform(0);
    for (int member = 1; member < size_; ++member)
      await([&] { return at(member).done.load(std::memory_order_acquire) == number_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  // In each round a member waits for the one that stands twice as far before it as in the round before: what that one
  // had waited for has then happened too. With two members each looks at the other, once.
  void meet() override {
    if (size_ == 1) return;
    const int self = this_member;
    uint64_t round = at(self).met.load(std::memory_order_relaxed);
    for (int distance = 1; distance < size_; distance *= 2) {
      at(self).met.store(++round, std::memory_order_release);
      const Member& other = at(self >= distance ? self - distance : self - distance + size_);
      await([&] {
        if (other.met.load(std::memory_order_acquire) >= round) return true;
        if (failed_.load(std::memory_order_acquire)) throw Abandoned{};
        return false;
      });
    }
  }

 private:
  // Apart in memory, so that nobody's writing disturbs another's looking.
  struct alignas(2 * line) Member {
    std::atomic<uint64_t> met{0};                    // rounds of meetings in this run
    alignas(2 * line) std::atomic<uint64_t> start{0};  // the number of the run that it is called to
    std::atomic<uint64_t> done{0};                   // the number of the run that it has done
    std::atomic<bool> asleep{false};
    std::mutex lock;
    std::condition_variable woken;
    std::thread thread;

    // Either the sleeper sees the number after it has said that it sleeps, or the caller sees that it sleeps.
    void call(uint64_t number) {
      start.store(number, std::memory_order_seq_cst);
      if (!asleep.load(std::memory_order_seq_cst)) return;
      const std::lock_guard<std::mutex> hold(lock);
      woken.notify_one();
    }

    uint64_t next(uint64_t last) {
      const auto called = [&] { return start.load(std::memory_order_seq_cst) != last; };
      if (!spin(idle_patience, called)) {
        std::unique_lock<std::mutex> hold(lock);
        asleep.store(true, std::memory_order_seq_cst);
        woken.wait(hold, called);
        asleep.store(false, std::memory_order_relaxed);
      }
      return start.load(std::memory_order_acquire);
    }
  };

  Member& at(int member) { return members_[static_cast<size_t>(member)]; }

  void serve(int member) {
    this_member = member;
    for (uint64_t number = 0;;) {
      number = at(member).next(number);
      if (dismissed_.load(std::memory_order_relaxed)) return;
      arithmetic_.apply();
      perform(member);
      at(member).done.store(number, std::memory_order_release);
    }
  }

  void perform(int member) {
    try {
      (*work_)(member);
    } catch (const Abandoned&) {  // the member that failed has said why
    } catch (...) {
      const std::lock_guard<std::mutex> hold(error_lock_);
      if (!error_) error_ = std::current_exception();
      failed_.store(true, std::memory_order_release);
    }
  }

  void dismiss() {
    dismissed_.store(true, std::memory_order_relaxed);
    ++number_;
    for (Member& member : members_) {
      if (!member.thread.joinable()) continue;
      member.call(number_);
      member.thread.join();
    }
  }

  std::mutex& taken_;
  std::vector<Member> members_;
  int size_;
  uint64_t number_ = 0;
  const std::function<void(int)>* work_ = nullptr;
  Arithmetic arithmetic_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> dismissed_{false};
  std::mutex error_lock_;
  std::exception_ptr error_;
};

class Solo : public Owned {
 public:
  int size() const override { return 1; }
  void run(const std::function<void(int)>& work) override { work(0); }
  void meet() override {}
  void release() override;

  struct Process* process = nullptr;
  Solo* next = nullptr;  // in the list of those that nobody has
};

// All teams of a process. Never destroyed, since threads may still compute while the program exits; and forgotten by a
// child after fork, which has the memory but not the threads, and the locks in whatever state they were.
struct Process {
  std::mutex taken;  // held by who has the crew
  std::unique_ptr<Crew> crew;
  std::mutex lock;  // of the list
  Solo* idle = nullptr;

  Owned* borrow(int most) {
    if (most > 1) {
      std::unique_lock<std::mutex> hold(taken, std::try_to_lock);
      if (hold.owns_lock()) {
        const int members = team_size();
        if ((crew ? crew->members() : 1) != members) {
          crew.reset();
          if (members > 1) crew = std::make_unique<Crew>(members, taken);
        }
        if (crew) {
          crew->use(std::min(most, members));
          hold.release();
          return crew.get();
        }
      }
    }
    const std::lock_guard<std::mutex> hold(lock);
    if (idle == nullptr) idle = new Solo;
    idle->process = this;
    return std::exchange(idle, idle->next);
  }
};

void Solo::release() {
  const std::lock_guard<std::mutex> hold(process->lock);
  next = process->idle;
  process->idle = this;
}

std::atomic<Process*> current_process{nullptr};

Process& process() {
  static const int refused = pthread_atfork(nullptr, nullptr, [] { current_process.store(nullptr); });
  if (refused != 0) throw std::bad_alloc();
  Process* known = current_process.load(std::memory_order_acquire);
  if (known == nullptr) {
    auto made = std::make_unique<Process>();
    if (current_process.compare_exchange_strong(known, made.get())) known = made.release();
  }
  return *known;
}

int checked(int members, const std::string& origin) {
  if (members >= 1 && members <= most_members) return members;
  throw std::invalid_argument(origin + " asks for a team of " + std::to_string(members) + " threads; give 1 to " +
                              std::to_string(most_members));
}

int cores() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());  // 0 where it is not known
}

int default_size() {
  const char* asked = std::getenv("EVERYSTEP_THREADS");
  if (asked == nullptr || *asked == '\0') return std::max(1, std::min(cores(), most_members));
  int members = 0;
  const char* end = asked + std::strlen(asked);
  const auto [rest, error] = std::from_chars(asked, end, members);
  if (error != std::errc() || rest != end)
    throw std::invalid_argument("the environment variable EVERYSTEP_THREADS is \"" + std::string(asked) +
                                "\"; give a whole number of threads, 1 to " + std::to_string(most_members));
  return checked(members, "the environment variable EVERYSTEP_THREADS");
}

std::atomic<int> asked_size{0};  // 0 until someone asks

}  // namespace

int team_size() {
  if (const int asked = asked_size.load()) return asked;
  static const int size = default_size();
  return size;
}

void set_team_size(int members) { asked_size.store(checked(members, "set_team_size")); }

Borrowed::Borrowed(int most_members) : team_(process().borrow(most_members)) {}
Borrowed::~Borrowed() { static_cast<Owned*>(team_)->release(); }

}  // namespace everystep
