// Line 9 of the lecture's algorithm, w <- w - eta dE/dw, as one function (gradient, parameters) -> parameters. The same
// function runs on a gradient that is still in registers and on one that was materialised: the bits are the same.
#pragma once

#include "simd.hpp"

namespace deltaprop::DELTAPROP_ISA {

template <class T>
struct Sgd {
  T eta;
  Vector<T> operator()(Vector<T> g, Vector<T> w) const { return fma(g, -eta, w); }
};

}  // namespace deltaprop::DELTAPROP_ISA
