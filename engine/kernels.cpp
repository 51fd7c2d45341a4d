// Compiled once per instruction set, as namespace DELTAPROP_ISA: all kernels, and the one table that leaves the object.
#include "kernels.hpp"

#include "evaluation.hpp"

namespace deltaprop::DELTAPROP_ISA {
namespace {

template <class T>
constexpr Kernels<T> kKernels{predict<T>, loss<T>, descend<T>, gradient<T>, trace<T>, activation<T>};

#define DELTAPROP_TEXT(x) #x
#define DELTAPROP_NAME(x) DELTAPROP_TEXT(x)

}  // namespace

const KernelTable table{DELTAPROP_NAME(DELTAPROP_ISA), &kKernels<float>, &kKernels<double>};

}  // namespace deltaprop::DELTAPROP_ISA
