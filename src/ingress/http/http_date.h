#pragma once

#include <string>

#include "base/time.h"

namespace ganglion::http {

// IMF-fixdate (RFC 9110, 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(Timestamp time);

}  // namespace ganglion::http
