#pragma once

// Lists: `{items, next_cursor}`.

#include <optional>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

// The items of one page, JSON values, gathered one by one.
class Page {
 public:
  void add(std::string_view item) {
    if (items_.size() > 1) items_ += ',';
    items_ += item;
  }

  // Nothing for `next_cursor`: it is the last page.
  http::Response answer(const std::optional<std::string>& next_cursor) && {
    JsonObject page;
    page.add_raw("items", items_ + "]");
    if (next_cursor) {
      page.add("next_cursor", *next_cursor);
    } else {
      page.add_raw("next_cursor", "null");
    }
    return http::Response::json(200, page.finish());
  }

 private:
  std::string items_ = "[";
};

}  // namespace ganglion::ingress
