// Which steps of the rows there are to compute, in what order, and who computes them.
#pragma once

#include <cstdint>
#include <vector>

#include "recurrent.h"

namespace everystep {

// One real step of one row. Padding has none, and so costs nothing.
struct Slot {
  int32_t row;
  int32_t step;
  int32_t before;  // the slot whose state it starts from, or one of the two below
  int32_t after;   // the slot that starts from its state, or `nobody`
};

constexpr int32_t from_initial = -1;  // the row's initial state
constexpr int32_t from_zero = -2;     // zeros: another sequence starts in a packed row
constexpr int32_t nobody = -1;

// Slots in the order of their steps, and of their rows within a step: an order that does not depend on how many work.
class Plan {
 public:
  // `groups` ranges of rows of about as many real steps each.
  Plan(const Setting&, const Sizes&, const int32_t* segments, int groups);

  const Slot& operator[](int64_t slot) const { return slots_[static_cast<size_t>(slot)]; }
  int64_t size() const { return static_cast<int64_t>(slots_.size()); }
  int64_t turns() const { return turns_; }

  // The slots of the n-th step that is read, of one group of rows: [begin, end).
  int64_t begin(int64_t turn, int group) const { return begins_[static_cast<size_t>(turn * groups_ + group)]; }
  int64_t end(int64_t turn, int group) const { return begins_[static_cast<size_t>(turn * groups_ + group + 1)]; }

  // The rows of a group: [first_row(group), first_row(group + 1)).
  int64_t first_row(int group) const { return rows_[static_cast<size_t>(group)]; }

  int64_t step(int64_t turn) const { return reverse_ ? turns_ - 1 - turn : turn; }

 private:
  int64_t turns_;
  int groups_;
  bool reverse_;
  std::vector<Slot> slots_;
  std::vector<int64_t> begins_, rows_;
};

// The part of `count` things that one of `members` takes: about as many each, the first ones one more.
struct Range {
  int64_t first, last;
};

inline Range share(int64_t count, int members, int member) {
  int64_t each = count / members, more = count % members;
  int64_t first = each * member + (member < more ? member : more);
  return {first, first + each + (member < more ? 1 : 0)};
}

}  // namespace everystep
