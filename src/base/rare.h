#pragma once

// A value that few objects have: a pointer's worth where nobody has written to it, and it reads as `T()`
// then. Copies are copies of the value.

#include <memory>
#include <utility>

namespace ganglion {

template <typename T>
class Rare {
 public:
  Rare() = default;
  explicit Rare(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Rare(const Rare& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }

  const T& operator*() const {
    static const T kNothing{};
    return value_ ? *value_ : kNothing;
  }
  const T* operator->() const { return &**this; }

  bool is_present() const { return value_ != nullptr; }
  // The value to write to.
  T& edit() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  // The value to write to, where there is one.
  T* if_present() { return value_.get(); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace ganglion
