#pragma once

// The url and headers of an http agent: the only texts in which `${{ secrets.NAME }}` may stand, and the only
// thing that may stand in `${{ … }}` there. The text is kept as it is; whoever makes the request fills the
// secrets in.

#include <map>
#include <string>

#include "project/fields.h"

namespace ganglion::project {

std::string read_url(const Field& field, Diagnostics& diagnostics);
std::map<std::string, std::string> read_headers(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project
