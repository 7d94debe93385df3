#include "plan.h"

namespace everystep {

Plan::Plan(const Setting& setting, const Sizes& sizes, const int32_t* segments, int groups)
    // Of no rows there may be as many steps as somebody likes to say.
    : turns_(sizes.batch == 0 ? 0 : sizes.steps),
      groups_(groups),
      reverse_(setting.reverse) {
  const int64_t batch = sizes.batch, steps = turns_;
  auto segment = [&](int64_t row, int64_t step) { return segments == nullptr ? 1 : segments[row * steps + step]; };

  std::vector<int64_t> real(static_cast<size_t>(batch), steps);
  int64_t all = batch * steps;
  if (segments != nullptr) {
    all = 0;
    for (int64_t row = 0; row < batch; ++row) {
      int64_t count = 0;
      for (int64_t step = 0; step < steps; ++step) count += segment(row, step) != 0;
      real[static_cast<size_t>(row)] = count;
      all += count;
    }
  }

  rows_.reserve(static_cast<size_t>(groups) + 1);
  int64_t row = 0, before = 0;
  for (int group = 0; group < groups; ++group) {
    rows_.push_back(row);
    // Up to the row with which the groups so far have their part of all steps.
    for (; row < batch && (before + real[static_cast<size_t>(row)] / 2) * groups < all * (group + 1); ++row)
      before += real[static_cast<size_t>(row)];
  }
  rows_.push_back(batch);

  slots_.reserve(static_cast<size_t>(all));
  begins_.reserve(static_cast<size_t>(steps * groups) + 1);
  std::vector<int32_t> latest(static_cast<size_t>(batch), from_initial);
  for (int64_t turn = 0; turn < steps; ++turn) {
    const int64_t step = this->step(turn);
    for (int group = 0; group < groups; ++group) {
      begins_.push_back(size());
      for (int64_t r = rows_[static_cast<size_t>(group)]; r < rows_[static_cast<size_t>(group) + 1]; ++r) {
        const int32_t here = segment(r, step);
        if (here == 0) continue;
        int32_t& last = latest[static_cast<size_t>(r)];
        const bool other = setting.packed_rows && last >= 0 && here != segment(r, (*this)[last].step);
        const int32_t start = other ? from_zero : last;
        last = static_cast<int32_t>(size());
        if (start >= 0) slots_[static_cast<size_t>(start)].after = last;
        slots_.push_back({static_cast<int32_t>(r), static_cast<int32_t>(step), start, nobody});
      }
    }
  }
  begins_.push_back(size());
}

}  // namespace everystep
