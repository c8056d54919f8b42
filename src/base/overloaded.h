#pragma once

// Visits a variant with one lambda per alternative; leaving one out doesn't compile.

namespace ganglion {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace ganglion
