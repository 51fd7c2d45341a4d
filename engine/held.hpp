// theta, and what the optimizer remembers of it, as the threads of a team hold them while they descend: of a layer whose
// columns are owned (share.hpp) in panels, every two vectors of columns with all their rows, and each thread's apart. In
// theta they lie side by side in every row: a core that reads its own calls the lines that follow, too, which are another
// core's, and each sweep over W costs both of them five times what it costs one alone. (One thread gains nothing by it.)
#pragma once

#include "share.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr Index kApart = 1024;  // elements between one thread's and the next's

// Sets in `layers` where this thread has the [W; b] of every layer: its own columns, or all of them, by the offset, pitch and
// panel that are there. Returns the elements of all threads together.
template <class T>
inline Index lay_out(const PlanView& plan, Team team, Layer* layers) {
  Index size = 0;
  for (int l = 0; l < plan.depth; ++l) {
    const Layer& layer = plan.layers[l];
    layers[l] = layer;
    if (!is_owned<T>(layer, team)) {
      layers[l].offset = size;
      size += layer.rows() * layer.pitch;
      continue;
    }
    constexpr Index pitch = 2 * kWidth<T>;
    const Index panel = (layer.rows() + 1) * pitch;
    for (int t = 0; t < team.size; ++t) {
      const Columns columns = own_columns<T>(layer, {t, team.size, nullptr});
      if (t == team.thread) {
        layers[l].offset = size - columns.first / 2 * panel;
        layers[l].pitch = pitch;
        layers[l].panel = panel;
      }
      size += (columns.last - columns.first + 1) / 2 * panel + kApart;
    }
  }
  return size;
}

// Elements of theta as so many threads hold it; 0 where nothing of it is in panels.
template <class T>
Index held_size(const PlanView& plan, int threads, Layer* layers) {
  const Team team{0, threads, nullptr};
  for (int l = 0; l < plan.depth; ++l) {
    if (is_owned<T>(plan.layers[l], team)) return lay_out<T>(plan, team, layers);
  }
  return 0;
}

// What one thread holds: theta and the state themselves, where there is no room for more.
template <class T>
class Held {
 public:
  PlanView plan;  // the network's, but for the place of every [W; b]
  LearningView<T> learning;

  Held(const PlanView& whole, const LearningView<T>& all, const HeldScratch<T>& room, Team team)
      : plan(whole), learning(all), whole_(whole), all_(all), team_(team) {
    if (!room.arrays || room.threads != team.size) return;
    Layer* const layers = room.layers + team.thread * whole.depth;
    learning.theta_size = lay_out<T>(whole, team, layers);
    learning.theta = room.arrays;
    learning.state = room.arrays + learning.theta_size;
    plan.layers = layers;
    each([](T* of_all, T* own, std::size_t bytes) { __builtin_memcpy(own, of_all, bytes); });
  }

  // Back into theta and the state, once no thread changes them any more.
  void put_back() const {
    if (learning.theta == all_.theta) return;
    team_.wait();
    each([](T* of_all, const T* own, std::size_t bytes) { __builtin_memcpy(of_all, own, bytes); });
  }

 private:
  // Calls use(in theta or the state, in what is held, bytes) for all that this thread copies: its columns, and its share of
  // the rows of layers that are not owned.
  template <class Use>
  void each(Use use) const {
    for (int k = -1; k < all_.definition->states(); ++k) {
      T* const from = k < 0 ? all_.theta : all_.state + k * all_.theta_size;
      T* const to = k < 0 ? learning.theta : learning.state + k * learning.theta_size;
      for (int l = 0; l < whole_.depth; ++l) {
        const Layer& layer = whole_.layers[l];
        const bool owned = is_owned<T>(layer, team_);
        const Columns columns = owned ? own_columns<T>(layer, team_) : Columns::all<T>(layer);
        const Index first = owned ? 0 : team_.first(layer.rows());
        const Index last = owned ? layer.rows() : team_.last(layer.rows());
        const Index end = columns.last * kWidth<T>, panel = plan.layers[l].panel;
        for (Index i = first; i < last; ++i) {
          T* const row = from + layer.offset + i * layer.pitch;
          T* const own = to + plan.layers[l].offset + i * plan.layers[l].pitch;
          const Index width = panel > 0 ? 2 * kWidth<T> : end;
          for (Index j = columns.first * kWidth<T>; j < end; j += width) {
            const Index n = end - j < width ? end - j : width;
            use(row + j, own + column_at<T>(j, panel), static_cast<std::size_t>(n) * sizeof(T));
          }
        }
      }
    }
  }

  PlanView whole_;
  LearningView<T> all_;
  Team team_;
};

}  // namespace deltaprop::DELTAPROP_ISA
