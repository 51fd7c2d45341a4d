// Array: an array of Python's, borrowed through the buffer protocol for as long as a call lasts. nanobind's own ndarray
// does more (other devices, other libraries) and takes longer than a row through a small network.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace deltaprop {

// The numbers of a C-contiguous array; a const T is one that is only read, and may be read-only.
template <class T>
class Array {
 public:
  Array() = default;
  Array(Array&& other) noexcept : view_(std::exchange(other.view_, {})) {}
  Array& operator=(Array&& other) noexcept {
    std::swap(view_, other.view_);
    return *this;
  }
  ~Array() {
    if (view_.obj != nullptr) PyBuffer_Release(&view_);
  }

  // Whether the object holds such numbers, which are then borrowed.
  bool borrow(PyObject* object) noexcept {
    constexpr int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (std::is_const_v<T> ? 0 : PyBUF_WRITABLE);
    if (PyObject_GetBuffer(object, &view_, flags) == 0) {
      if (view_.itemsize == sizeof(T) && is_of_type(view_.format)) return true;
      PyBuffer_Release(&view_);
    } else {
      PyErr_Clear();
    }
    view_ = {};
    return false;
  }

  std::span<T> elements() const {
    return {static_cast<T*>(view_.buf), static_cast<std::size_t>(view_.len) / sizeof(T)};
  }

 private:
  // Whether the struct module's code is T's, of the machine's byte order.
  static bool is_of_type(const char* format) {
    if (format == nullptr || format[0] == '\0' || format[1] != '\0') return false;
    using Number = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Number, float>) return *format == 'f';
    if constexpr (std::is_same_v<Number, double>) return *format == 'd';
    return *format == 'i' || *format == 'l' || *format == 'q';  // of sizeof(T) bytes
  }

  Py_buffer view_{};
};

}  // namespace deltaprop

template <class T>
struct nanobind::detail::type_caster<deltaprop::Array<T>> {
  using Number = std::remove_const_t<T>;
  static constexpr auto kElement = [] {
    if constexpr (std::is_same_v<Number, float>)
      return const_name("float32");
    else if constexpr (std::is_same_v<Number, double>)
      return const_name("float64");
    else if constexpr (sizeof(Number) == 8)
      return const_name("int64");
    else
      return const_name("int32");
  }();
  NB_TYPE_CASTER(deltaprop::Array<T>, const_name("numpy.typing.NDArray[numpy.") + kElement + const_name("]"))

  bool from_python(handle source, std::uint8_t, cleanup_list*) noexcept { return value.borrow(source.ptr()); }
  static handle from_cpp(const deltaprop::Array<T>&, rv_policy, cleanup_list*) noexcept = delete;
};
