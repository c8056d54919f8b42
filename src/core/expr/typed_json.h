#pragma once

// Values with their types, as JSON: the form of the test vectors and of `ganglion eval`. One member names the
// type:
//   {"int": 5}  {"uint": 5}  {"double": 1.5 or "inf", "-inf", "nan"}  {"bool": true}  {"null": null}
//   {"string": "a"}
//   {"bytes": base 64}  {"list": [typed, …]}  {"map": [[typed, typed], …]}  {"type": "int"}
//   {"timestamp": RFC 3339}  {"duration": "1.5s"}

#include <string>

#include "core/expr/value.h"

namespace ganglion::expr {

// Values nested deeper than kMaxValueDepth are cut off there, as {"null": null}.
std::string typed_json(const Value& value);

// `json` is what Value::json gives for the typed form. Error code `invalid_vector`.
Result<Value> value_of_typed_json(const Value& json);

// The same type and the same value: 1 is not 1.0, NaN is NaN, 0.0 is not -0.0; maps in any order.
bool identical(const Value& a, const Value& b);

}  // namespace ganglion::expr
