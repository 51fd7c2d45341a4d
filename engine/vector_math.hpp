// exp, log, log1p, sigmoid, tanh, softplus and erf on vectors: within 2 ulp of the exact value, over all arguments, on
// every instruction set (tests/contracts/test_vector_math.py). Same operations on every lane and for every width, so a
// value does not depend on its neighbours.
#pragma once

#include "vector_erf.hpp"
#include "vector_exp.hpp"
#include "vector_log.hpp"
