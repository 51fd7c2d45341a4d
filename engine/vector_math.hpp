// Functions on vectors: exp, log, log1p, sigmoid, tanh, softplus, erf and arctan within 2 ulp of the exact value, expm1 within
// 3, over all arguments, on every instruction set; sin and cos within 2 ulp where |x| <= 20, within 1 eps everywhere
// (tests/contracts/test_vector_math.py). Same operations on every lane and for every width, so a value does not depend on
// its neighbours.
#pragma once

#include "vector_erf.hpp"
#include "vector_exp.hpp"
#include "vector_log.hpp"
#include "vector_trigonometry.hpp"
