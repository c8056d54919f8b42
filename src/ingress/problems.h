#pragma once

// The problems that several resources answer with.

#include <string>
#include <vector>

#include "base/result.h"
#include "ingress/http/problem.h"

namespace ganglion::ingress {

// What an error of the coordinator, the store or the definitions is to a client.
http::Problem problem_of(const Error& error);

// 422 `invalid`, with each error by its path.
http::Problem invalid(std::vector<http::FieldError> errors);

// 400 `invalid_parameter`: of the query or a header.
http::Problem invalid_parameter(const std::string& name, const std::string& what);

// 404 `not_found`.
http::Problem not_found(std::string detail);

}  // namespace ganglion::ingress
