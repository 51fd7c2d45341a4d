// Formulas of the user's own at work: the interpreter of their programs (program.hpp), and h, h' and E by them.
//
// An instruction runs over a block of vectors before the next one does, so that what it costs to find out which it is, is
// spread. No number depends on its neighbours: bits are the same whatever the block.
#pragma once

#include "vector_math.hpp"

namespace deltaprop::DELTAPROP_ISA {

inline constexpr int kFormulaBlock = 8;  // vectors: a few slots of them stay in the first cache

// 1 where a comparison holds, else 0.
template <class T>
[[gnu::always_inline]] inline Vector<T> one_where(Bits<T> holds) {
  return holds != 0 ? broadcast<T>(T{1}) : Vector<T>{};
}

// With the sanitizers' checks inlined as well, two copies of everything would take long to compile.
#if defined(__SANITIZE_ADDRESS__)
#  define DELTAPROP_OPERATE [[gnu::noinline]]
#else
#  define DELTAPROP_OPERATE [[gnu::always_inline]] inline
#endif

// One operation on one vector; NaN in the smaller and the larger of two stays NaN.
template <class T, Operation operation>
DELTAPROP_OPERATE Vector<T> operate(Vector<T> x, Vector<T> y, Vector<T> w) {
  using enum Operation;
  if constexpr (operation == neg) return -x;
  if constexpr (operation == add) return x + y;
  if constexpr (operation == subtract) return x - y;
  if constexpr (operation == multiply) return x * y;
  if constexpr (operation == divide) return x / y;
  if constexpr (operation == minimum) return x < y ? x : y <= x ? y : x + y;
  if constexpr (operation == maximum) return x > y ? x : y >= x ? y : x + y;
  if constexpr (operation == absolute) return deltaprop::DELTAPROP_ISA::absolute<T>(x);
  if constexpr (operation == sign) return x > T{0} ? broadcast<T>(T{1}) : x < T{0} ? broadcast<T>(T{-1}) : x;
  if constexpr (operation == sqrt) return square_root<T>(x);
  if constexpr (operation == exp) return deltaprop::DELTAPROP_ISA::exp<T>(x);
  if constexpr (operation == expm1) return deltaprop::DELTAPROP_ISA::expm1<T>(x);
  if constexpr (operation == log) return deltaprop::DELTAPROP_ISA::log<T>(x);
  if constexpr (operation == log1p) return deltaprop::DELTAPROP_ISA::log1p<T>(x);
  if constexpr (operation == tanh) return deltaprop::DELTAPROP_ISA::tanh<T>(x);
  if constexpr (operation == sigmoid) return deltaprop::DELTAPROP_ISA::sigmoid<T>(x);
  if constexpr (operation == softplus) return deltaprop::DELTAPROP_ISA::softplus<T>(x);
  if constexpr (operation == erf) return deltaprop::DELTAPROP_ISA::erf<T>(x);
  if constexpr (operation == erfc) return normal_below<T>(x * static_cast<T>(-1.4142135623730951)) * T{2};
  if constexpr (operation == sin) return sine<T>(x, 0);
  if constexpr (operation == cos) return sine<T>(x, 1);
  if constexpr (operation == atan) return arctan<T>(x);
  if constexpr (operation == power) {
    const Vector<T> result = deltaprop::DELTAPROP_ISA::exp<T>(y * deltaprop::DELTAPROP_ISA::log<T>(x));
    return y == T{0} ? broadcast<T>(T{1}) : result;
  }
  if constexpr (operation == less) return one_where<T>(x < y);
  if constexpr (operation == less_equal) return one_where<T>(x <= y);
  if constexpr (operation == and_) return one_where<T>((x != T{0}) & (y != T{0}));
  if constexpr (operation == or_) return one_where<T>((x != T{0}) | (y != T{0}));
  if constexpr (operation == not_) return one_where<T>(x == T{0});
  if constexpr (operation == select) return x != T{0} ? y : w;
  if constexpr (operation == exp_minus_square) return exp_of_minus_square<T>(x, T{1});
  if constexpr (operation == exp_minus_half_square) return exp_of_minus_square<T>(x, T{0.5});
  if constexpr (operation == normal) return normal_below<T>(x);
  if constexpr (operation == positive) return at_least<T>(x, kLeastNormal<T>);
  if constexpr (operation == apart) return at_least<T>(x, std::numeric_limits<T>::epsilon() / 4);
}

#undef DELTAPROP_OPERATE

template <class T, int N>
using Slots = Vector<T>[kSlots][N];

// Runs a program whose inputs are in the first of the slots.
template <class T, int N>
[[gnu::noinline]] void run(const ProgramView& program, Slots<T, N>& slots) {
  for (int c = 0; c < program.n_constants; ++c) {
    const Vector<T> all = broadcast<T>(static_cast<T>(program.constants[c]));
    for (int v = 0; v < N; ++v) slots[program.inputs + c][v] = all;
  }
  for (int at = 0; at < program.length; ++at) {
    const Instruction& own = program.instructions[at];
    Vector<T>* to = slots[own.to];
    const Vector<T>* x = slots[own.x];
    const Vector<T>* y = slots[own.y];
    const Vector<T>* w = slots[own.w];
    const auto over = [&]<Operation operation>(std::integral_constant<Operation, operation>) {
      for (int v = 0; v < N; ++v) to[v] = operate<T, operation>(x[v], y[v], w[v]);
    };
#define DELTAPROP_CASE(name)                                    \
  case Operation::name:                                         \
    over(std::integral_constant<Operation, Operation::name>{}); \
    break;
    switch (own.operation) {
      DELTAPROP_CASE(neg)
      DELTAPROP_CASE(add)
      DELTAPROP_CASE(subtract)
      DELTAPROP_CASE(multiply)
      DELTAPROP_CASE(divide)
      DELTAPROP_CASE(minimum)
      DELTAPROP_CASE(maximum)
      DELTAPROP_CASE(absolute)
      DELTAPROP_CASE(sign)
      DELTAPROP_CASE(sqrt)
      DELTAPROP_CASE(exp)
      DELTAPROP_CASE(expm1)
      DELTAPROP_CASE(log)
      DELTAPROP_CASE(log1p)
      DELTAPROP_CASE(tanh)
      DELTAPROP_CASE(sigmoid)
      DELTAPROP_CASE(softplus)
      DELTAPROP_CASE(erf)
      DELTAPROP_CASE(erfc)
      DELTAPROP_CASE(sin)
      DELTAPROP_CASE(cos)
      DELTAPROP_CASE(atan)
      DELTAPROP_CASE(power)
      DELTAPROP_CASE(less)
      DELTAPROP_CASE(less_equal)
      DELTAPROP_CASE(and_)
      DELTAPROP_CASE(or_)
      DELTAPROP_CASE(not_)
      DELTAPROP_CASE(select)
      DELTAPROP_CASE(exp_minus_square)
      DELTAPROP_CASE(exp_minus_half_square)
      DELTAPROP_CASE(normal)
      DELTAPROP_CASE(positive)
      DELTAPROP_CASE(apart)
    }
#undef DELTAPROP_CASE
  }
}

// h and h' of a layer by programs of a, and of a and z.
struct Formula {
  const FormulaPrograms* programs;

  template <class T>
  Vector<T> value(Vector<T> a) const {
    Slots<T, 1> slots;
    slots[0][0] = a;
    run<T, 1>(programs->value, slots);
    return slots[programs->value.outputs[0]][0];
  }
  // 0 in a plan for predictions alone, which has no such program: E is computed with a delta that nobody reads.
  template <class T>
  Vector<T> derivative(Vector<T> a, Vector<T> z) const {
    if (programs->derivative.n_outputs == 0) return Vector<T>{};
    Slots<T, 1> slots;
    slots[0][0] = a;
    slots[1][0] = z;
    run<T, 1>(programs->derivative, slots);
    return slots[programs->derivative.outputs[0]][0];
  }
  // The same over `rows` rows of `columns` vectors, in blocks.
  template <class T>
  void values(Matrix<const T> a, Matrix<T> z, Index rows, Index columns) const {
    Slots<T, kFormulaBlock> slots;
    const ProgramView& program = programs->value;
    for_blocks<T>(rows, columns, [&](const Place(&at)[kFormulaBlock], int n) {
      for (int v = 0; v < kFormulaBlock; ++v) slots[0][v] = load(a.row(at[v].row) + at[v].column);
      run<T, kFormulaBlock>(program, slots);
      for (int v = 0; v < n; ++v) store<T>(z.row(at[v].row) + at[v].column, slots[program.outputs[0]][v]);
    });
  }
  // use(row, column, h') for each vector.
  template <class T, class Use>
  void derivatives(Matrix<const T> a, Matrix<const T> z, Index rows, Index columns, Use use) const {
    Slots<T, kFormulaBlock> slots;
    const ProgramView& program = programs->derivative;
    for_blocks<T>(rows, columns, [&](const Place(&at)[kFormulaBlock], int n) {
      for (int v = 0; v < kFormulaBlock; ++v) {
        slots[0][v] = load(a.row(at[v].row) + at[v].column);
        slots[1][v] = load(z.row(at[v].row) + at[v].column);
      }
      run<T, kFormulaBlock>(program, slots);
      for (int v = 0; v < n; ++v) use(at[v].row, at[v].column, slots[program.outputs[0]][v]);
    });
  }

 private:
  struct Place {
    Index row, column;
  };

  // use(at, n) for blocks of vectors, n of them with a place of their own; the rest of the last block repeats one.
  template <class T, class Use>
  static void for_blocks(Index rows, Index columns, Use use) {
    if (columns == 0) return;
    Place at[kFormulaBlock], next{0, 0};
    while (next.row < rows) {
      int n = 0;
      for (; n < kFormulaBlock && next.row < rows; ++n) {
        at[n] = next;
        next.column += kWidth<T>;
        if (next.column == columns * kWidth<T>) next = {next.row + 1, 0};
      }
      for (int v = n; v < kFormulaBlock; ++v) at[v] = at[0];
      use(at, n);
    }
  }
};

// A program of a loss on a vector of units: from a, y and r, or from y and r.
template <class T>
inline Vector<T> run_loss(const ProgramView& program, Vector<T> a, Vector<T> y, Vector<T> r) {
  Slots<T, 1> slots;
  int at = 0;
  if (program.inputs == 3) slots[at++][0] = a;
  slots[at++][0] = y;
  slots[at][0] = r;
  run<T, 1>(program, slots);
  return slots[program.outputs[0]][0];
}

}  // namespace deltaprop::DELTAPROP_ISA
