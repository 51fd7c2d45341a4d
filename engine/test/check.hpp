// Counts what does not hold, and says what it was.
#pragma once

#include <cstdio>
#include <string>

#include "../engine.hpp"

namespace deltaprop::test {

inline int failures = 0;

inline void check(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "FAILED [%s]: %s\n", std::string(instruction_set()).c_str(), what.c_str());
}

}  // namespace deltaprop::test
