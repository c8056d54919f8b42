#include "ingress/journal_api.h"

#include <utility>

#include "core/run_json.h"
#include "ingress/http/router.h"
#include "ingress/journal_stream.h"
#include "ingress/page.h"
#include "ingress/problems.h"
#include "ingress/query.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

void answer_with_page(std::vector<JournalEntry> entries, std::uint32_t limit, http::Responder responder) {
  const bool more = entries.size() > limit;
  if (more) entries.resize(limit);
  Page page;
  for (const JournalEntry& entry : entries) page.add(entry_json(entry));
  std::optional<std::string> next;
  if (more) next = std::to_string(entries.back().seq);
  responder.respond(std::move(page).answer(next));
}

// Where the client stands: Last-Event-ID wins over `after`, because a browser repeats the URL when it
// connects again.
std::expected<std::uint64_t, http::Problem> position_of(const http::Request& request,
                                                        const http::Target& target) {
  if (const auto last = request.header("last-event-id"); last && !last->empty()) {
    return sequence_of(*last, "Last-Event-ID");
  }
  if (const auto cursor = target.parameter("cursor"); cursor && !cursor->empty()) {
    return sequence_of(*cursor, "cursor");
  }
  const auto after = target.parameter("after");
  if (!after) return std::uint64_t{0};
  return sequence_of(*after, "after");
}

}  // namespace

void JournalApi::register_routes(http::Router& router) {
  router.add(http::Method::get, "/v1/runs/{id}/journal",
             [this](const http::Request& request, http::Responder responder) {
               read(request, std::move(responder));
             });
}

void JournalApi::read(const http::Request& request, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  const http::Target target = query_of(request.target());
  const auto after = position_of(request, target);
  if (!after) return responder.fail(after.error());

  const bool streams =
      request.header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
  if (streams) {
    const bool head_only = request.method == http::Method::head;
    auto look = [this, run = *run, after = *after, head_only,
                 responder = std::move(responder)](Result<const Run*> found) mutable {
      if (!found) return responder.fail(problem_of(found.error()));
      if (head_only) return responder.respond({200, "text/event-stream", {}, {}});
      JournalStream::begin(dependencies_, run, after, std::move(responder));
    };
    return dependencies_.coordinator.inspect(*run, std::move(look));
  }

  const auto limit = limit_of(target);
  if (!limit) return responder.fail(limit.error());
  auto page = [limit = *limit,
               responder = std::move(responder)](Result<std::vector<JournalEntry>> entries) mutable {
    if (!entries) return responder.fail(problem_of(entries.error()));
    answer_with_page(*std::move(entries), limit, std::move(responder));
  };
  dependencies_.store.read_journal(*run, *after, *limit + 1, std::move(page));
}

}  // namespace ganglion::ingress
