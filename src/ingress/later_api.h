#pragma once

namespace ganglion::http {
class Router;
}

namespace ganglion::ingress {

// What the API's version 1 has and this program doesn't have yet: 501 `not_available_yet`, so that nobody
// takes it for a misspelt path.
void register_later_routes(http::Router& router);

}  // namespace ganglion::ingress
