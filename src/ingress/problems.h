#pragma once

// The problems that several resources answer with.

#include <cstddef>
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

// 422 `invalid`, if it is that a payload at `path` refers to a blob that isn't there; else as `problem_of`.
http::Problem blob_problem(const Error& error, const std::string& path);

// 413 `too_large`.
http::Problem payload_too_large(const std::string& what, std::size_t size);

// 404 `not_found`.
http::Problem not_found(std::string detail);

}  // namespace ganglion::ingress
