#include "ingress/record_list.h"

#include <memory>
#include <utility>
#include <vector>

#include "ingress/page.h"
#include "ingress/problems.h"
#include "ingress/query.h"

namespace ganglion::ingress {
namespace {

struct Listing {
  Dependencies dependencies;
  RecordQuery query;
  std::uint32_t wanted;
  std::function<std::optional<std::string>(const Record&)> to_json;
  http::Responder responder;
  Page page = {};
  std::uint32_t count = 0;
  std::string last = {};  // id of the last record on the page

  static void read(const std::shared_ptr<Listing>& self) {
    if (!self->responder.open()) return;
    self->dependencies.store.list_records(
        self->query, [self](Result<std::vector<Record>> records) { self->take(self, std::move(records)); });
  }

  void take(const std::shared_ptr<Listing>& self, Result<std::vector<Record>> records) {
    if (!records && records.error().code == "not_found") {
      return responder.fail(invalid_parameter("cursor", "names what is no longer there; begin again"));
    }
    if (!records) return responder.fail(problem_of(records.error()));
    for (const Record& record : *records) {
      const auto json = to_json(record);
      if (!json) continue;
      if (count == wanted) return responder.respond(std::move(page).answer(last));
      page.add(*json);
      ++count;
      last = record.id;
    }
    if (records->size() < query.limit) return responder.respond(std::move(page).answer(std::nullopt));
    query.before = records->back().id;
    read(self);
  }
};

}  // namespace

void answer_with_records(const Dependencies& dependencies, RecordKind kind, const http::Request& request,
                         std::function<std::optional<std::string>(const Record&)> to_json,
                         http::Responder responder) {
  const http::Target target = query_of(request.target());
  const auto limit = limit_of(target);
  if (!limit) return responder.fail(limit.error());
  RecordQuery query;
  query.kind = kind;
  // One more than asked for tells whether there is a next page.
  query.limit = *limit + 1;
  if (const auto run = target.parameter("run"); run && !run->empty()) {
    query.run = RunId::parse(*run);
    if (!query.run) return responder.fail(invalid_parameter("run", "must be the id of a run"));
  }
  if (const auto cursor = target.parameter("cursor"); cursor && !cursor->empty()) query.before = *cursor;
  Listing::read(std::make_shared<Listing>(dependencies, std::move(query), *limit, std::move(to_json),
                                          std::move(responder)));
}

}  // namespace ganglion::ingress
