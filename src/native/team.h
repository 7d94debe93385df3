// A few threads that share one piece of work, step by step.
#pragma once

#include <cstddef>
#include <functional>

namespace everystep {

// Threads of its own, since tasks of XLA's pool may run one after the other, and a barrier among them would never
// open. The caller is one of the team. Members spin for a moment between steps, then sleep.
//
// One caller has the team at a time; whoever finds it taken works alone (`Team::solo`), so that programs that run at
// once can neither wait for each other in a circle nor crowd the cores.
class Team {
 public:
  virtual ~Team() = default;

  // How many members work; at least 1.
  virtual int size() const = 0;

  // Calls work(member) once for each member 0 ... size() - 1 at the same time; returns when all are done.
  virtual void run(const std::function<void(int member)>& work) = 0;

  // Inside of `run`: returns when every member has called it. What a member wrote before is seen by all after.
  virtual void meet() = 0;

  // Memory of at least so many bytes, aligned to 64, that is the caller's until it lets go of the team. `slot` names
  // the piece: the same slot asked for again gives the same memory, grown if need be. Its contents are anything.
  virtual void* scratch(int slot, size_t bytes) = 0;
};

// Hold this while a computation runs: the process's team if it is free and work is worth it, else one of one member.
class Borrowed {
 public:
  explicit Borrowed(int most_members);
  ~Borrowed();
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Team& team() { return *team_; }

 private:
  Team* team_;
};

// Members that the process's team may have: the cores that it may run on, or EVERYSTEP_THREADS.
int team_size();
void set_team_size(int members);

}  // namespace everystep
