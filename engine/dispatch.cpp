// Which table of kernels runs: the best that this build holds and this machine can run, or the one that DELTAPROP_ISA
// names.
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "engine.hpp"
#include "kernels.hpp"

#if defined(_OPENMP)
#  include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#  include <pthread.h>
#endif

namespace deltaprop {
namespace {

enum class Chosen { always, for_long_sums, by_name };

// An instruction set that runs here, and where it is to be chosen.
struct Usable {
  const KernelTable* table;
  Chosen chosen;
};

// Whether AVX-512 brings more than AVX2 everywhere: on AMD's Zen 3 and 4 the multipliers are as wide as AVX2's, and small
// networks only lose by vectors that are wider.
[[maybe_unused]] bool has_wide_multipliers() {
#if defined(__x86_64__)
  return !__builtin_cpu_is("amdfam19h");
#else
  return false;
#endif
}

// The best last.
std::vector<Usable> usable_tables() {
  std::vector<Usable> tables;
#if defined(DELTAPROP_HAS_baseline)
  tables.push_back({&baseline::table, Chosen::always});
#endif
#if defined(DELTAPROP_HAS_neon)
  tables.push_back({&neon::table, Chosen::by_name});  // no machine of ours has run it
#endif
#if defined(DELTAPROP_HAS_avx2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables.push_back({&avx2::table, Chosen::always});
#endif
#if defined(DELTAPROP_HAS_avx512)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw")) {
    tables.push_back({&avx512::table, has_wide_multipliers() ? Chosen::always : Chosen::for_long_sums});
  }
#endif
  return tables;
}

const KernelTable* find_table(std::string_view name) {
  std::string names;
  for (const Usable& usable : usable_tables()) {
    if (usable.table->name == name) return usable.table;
    names += (names.empty() ? "" : ", ") + std::string(usable.table->name);
  }
  throw std::invalid_argument("no instruction set '" + std::string(name) + "' here; there are: " + names);
}

constexpr int kFewBytes = 32;  // of a vector that few units fill

// The tables in use: of all work, of predictions whose sums are long, and of networks of few units.
struct Tables {
  const KernelTable* all = nullptr;
  const KernelTable* long_sums = nullptr;
  const KernelTable* few_units = nullptr;
};

Tables best_tables() {
  Tables best;
  for (const Usable& usable : usable_tables()) {
    if (usable.chosen == Chosen::always) best.all = usable.table;
    if (usable.chosen == Chosen::always && usable.table->vector_bytes <= kFewBytes) best.few_units = usable.table;
    if (usable.chosen != Chosen::by_name) best.long_sums = usable.table;
  }
  return best;
}

Tables tables_named(std::string_view name) {
  const KernelTable* table = find_table(name);
  return {table, table, table};
}

Tables first_tables() {
  const char* forced = std::getenv("DELTAPROP_ISA");
  return forced != nullptr && *forced != '\0' ? tables_named(forced) : best_tables();
}

Tables& tables() {
  static Tables in_use = first_tables();
  return in_use;
}

std::atomic<bool> forked{false};

#if defined(__unix__) || defined(__APPLE__)
// A forked child has none of its parent's OpenMP threads and would wait for them for ever.
[[maybe_unused]] const int kForkHandler = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

}  // namespace

const KernelTable& kernels() { return *tables().all; }
const KernelTable& kernels_for_long_sums() { return *tables().long_sums; }
const KernelTable& kernels_for_few_units() { return *tables().few_units; }

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  for (const Usable& usable : usable_tables()) names.emplace_back(usable.table->name);
  return names;
}

std::string_view instruction_set() { return kernels().name; }
void use_instruction_set(std::string_view name) { tables() = name.empty() ? first_tables() : tables_named(name); }

bool has_openmp() {
#if defined(_OPENMP)
  return true;
#else
  return false;
#endif
}

bool can_have_threads() { return has_openmp() && !forked; }

int available_threads() {
#if defined(_OPENMP)
  if (can_have_threads()) return omp_get_max_threads();
#endif
  return 1;
}

}  // namespace deltaprop
