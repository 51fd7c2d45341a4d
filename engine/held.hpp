// theta, and what the optimizer remembers of it, as the threads of a team hold them while they descend: of a layer whose
// columns are owned (share.hpp), each thread's columns lie together. In theta they lie side by side in every row: a core
// that reads its own calls the lines that follow, too, which are another core's, and each sweep over W costs both of them
// five times what it costs one alone.
#pragma once

#include "share.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr Index kApart = 1024;  // elements between one thread's and the next's

// Sets in `layers` where this thread has the [W; b] of every layer: its own columns j, at the offset and with the pitch that
// are there, or all of them. Returns the elements of all threads together.
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
    for (int t = 0; t < team.size; ++t) {
      const Columns columns = own_columns<T>(layer, {t, team.size, nullptr});
      const Index pitch = padded_pitch((columns.last - columns.first) * kWidth<T>);
      if (t == team.thread) {
        layers[l].offset = size - columns.first * kWidth<T>;
        layers[l].pitch = pitch;
      }
      size += layer.rows() * pitch + kApart;
    }
  }
  return size;
}

// Elements of theta as a team holds it; 0 where none of its columns are owned.
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
  PlanView plan;  // the network's, but for the pitch and the offset of every [W; b]
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
        const Index j = columns.first * kWidth<T>, width = (columns.last - columns.first) * kWidth<T>;
        const Index first = owned ? 0 : team_.first(layer.rows()),
                    last = owned ? layer.rows() : team_.last(layer.rows());
        for (Index i = first; i < last; ++i) {
          use(from + layer.offset + i * layer.pitch + j, to + plan.layers[l].offset + i * plan.layers[l].pitch + j,
              static_cast<std::size_t>(width) * sizeof(T));
        }
      }
    }
  }

  PlanView whole_;
  LearningView<T> all_;
  Team team_;
};

}  // namespace deltaprop::DELTAPROP_ISA
