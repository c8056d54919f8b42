#include "adapters/nats/queues.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "adapters/nats/fresh_id.h"
#include "adapters/nats/headers.h"
#include "ports/bus_check.h"

namespace ganglion::nats {
namespace {

constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;
// Of consumers that wait for messages of one queue, in all processes.
constexpr std::int64_t kMaxWaiting = 4096;

Error error_of(const ApiError& error, const std::string& queue) {
  if (error.code == kNotFound) return unknown_queue(queue).error();
  if (error.code == kBadRequest || error.number == kStreamCantChange) {
    return {"queue_differs",
            "NATS has the queue \"" + queue +
                "\" with other options, which it can't change; remove it there once it is empty: " +
                error.description};
  }
  return {"unavailable", error.description};
}

std::string stream_config(const std::string& name, std::initializer_list<std::string> subjects,
                          std::string_view retention, std::uint64_t max_length, std::string_view when_full) {
  std::string list;
  for (const std::string& subject : subjects) append_json_string(list += list.empty() ? "[" : ",", subject);
  return JsonObject()
      .add("name", name)
      .add_raw("subjects", list + "]")
      .add("retention", retention)
      .add("storage", "file")
      .add("max_msgs", static_cast<std::int64_t>(max_length))
      .add("discard", when_full)
      .add("num_replicas", std::int64_t{1})
      .add("allow_direct", true)
      .finish();
}

constexpr const char* kClaimAfter = "claim_after_ms";

std::string consumer_config(const std::string& stream, const std::string& name, const QueueOptions& options) {
  const std::string ours =
      JsonObject().add(kClaimAfter, static_cast<std::int64_t>(options.claim_after.count())).finish();
  const std::string config = JsonObject()
                                 .add("durable_name", name)
                                 .add("description", ours)
                                 .add("deliver_policy", "all")
                                 .add("ack_policy", "explicit")
                                 .add("ack_wait", std::chrono::nanoseconds(kLease).count())
                                 .add("max_deliver", std::int64_t{options.max_deliveries})
                                 .add("max_ack_pending", std::int64_t{-1})
                                 .add("max_waiting", kMaxWaiting)
                                 .add("replay_policy", "instant")
                                 .finish();
  return JsonObject().add("stream_name", stream).add_raw("config", config).finish();
}

// A work queue has one consumer at most.
std::optional<QueueState> consumer_in(std::string_view answer) {
  std::string_view consumers = member(answer, "consumers");
  if (!consumers.starts_with("[{")) return std::nullopt;
  consumers.remove_prefix(1);
  const std::string ours = text_member(member(consumers, "config"), "description");
  const std::uint64_t claim_after = number_member(ours, kClaimAfter);
  return QueueState{.consumer = text_member(consumers, "name"),
                    .claim_after = claim_after > 0 ? Duration(static_cast<Duration::rep>(claim_after))
                                                   : QueueOptions().claim_after,
                    .waiting = number_member(consumers, "num_pending")};
}

}  // namespace

void Queues::ask(const std::string& what, std::string body, Until until, Said said) {
  requests_.ask({.subject = "$JS.API." + what, .body = std::move(body)}, until,
                [said = std::move(said)](Result<Answer> answer) mutable {
                  if (!answer)
                    return said(std::unexpected(ApiError{kUnavailable, 0, answer.error().message}));
                  if (status_of(answer->headers) != 0)
                    return said(std::unexpected(ApiError{kUnavailable, 0, "NATS has no JetStream for us"}));
                  if (auto error = api_error(answer->body)) return said(std::unexpected(std::move(*error)));
                  said(std::move(answer->body));
                });
}

void Queues::declare(std::string queue, QueueOptions options, Done<void> done) {
  const Until end = until();
  const std::string name = names_.queue_stream(queue);
  const std::string dead = names_.dead_stream(queue);
  Stream stream{queue, name,
                stream_config(name, {names_.queue_subject(queue)}, "workqueue", options.max_length, "new")};
  Stream letters{queue, dead,
                 stream_config(dead, {names_.dead_subject(queue), names_.exhausted_subject(queue)}, "limits",
                               kMaxDeadLetters, "old")};
  auto then_consumer = [this, queue, options, end, done = std::move(done)](Result<void> put) mutable {
    if (!put) return done(std::move(put));
    put_consumer(std::move(queue), options, end, std::move(done));
  };
  auto then_letters = [this, letters = std::move(letters), end,
                       then = std::move(then_consumer)](Result<void> put) mutable {
    if (!put) return then(std::move(put));
    put_stream(std::move(letters), end, std::move(then));
  };
  put_stream(std::move(stream), end, std::move(then_letters));
}

void Queues::put_stream(Stream stream, Until until, Done<void> done) {
  auto updated = [queue = stream.queue, done = std::move(done)](const auto& said) mutable {
    if (!said) return done(std::unexpected(error_of(said.error(), queue)));
    done({});
  };
  ask("STREAM.CREATE." + stream.name, stream.config, until,
      [this, stream, until, updated = std::move(updated)](const auto& said) mutable {
        if (said || said.error().number != kStreamHasOtherOptions) return updated(said);
        ask("STREAM.UPDATE." + stream.name, stream.config, until, std::move(updated));
      });
}

// Another process may be at it, too: then there is one as soon as we look again.
void Queues::put_consumer(std::string queue, QueueOptions options, Until until, Done<void> done) {
  const std::string stream = names_.queue_stream(queue);
  ask("CONSUMER.LIST." + stream, R"({"offset":0})", until,
      [this, queue, stream, options, until, done = std::move(done)](const auto& said) mutable {
        if (!said) return done(std::unexpected(error_of(said.error(), queue)));
        const auto there = consumer_in(*said);
        const std::string name = there ? there->consumer : "ganglion-" + fresh_id();
        ask("CONSUMER.DURABLE.CREATE." + stream + '.' + name, consumer_config(stream, name, options), until,
            [this, queue, options, until, done = std::move(done)](const auto& created) mutable {
              if (created) return done({});
              const int number = created.error().number;
              const bool another = number == kOtherConsumer || number == kOtherFilter;
              if (!another || Requests::Steady::now() > until)
                return done(std::unexpected(error_of(created.error(), queue)));
              put_consumer(std::move(queue), options, until, std::move(done));
            });
      });
}

void Queues::look(std::string queue, Done<QueueState> done) {
  ask("CONSUMER.LIST." + names_.queue_stream(queue), R"({"offset":0})", until(),
      [queue, done = std::move(done)](const auto& said) mutable {
        if (!said) return done(std::unexpected(error_of(said.error(), queue)));
        auto state = consumer_in(*said);
        if (!state) return done(unknown_queue(queue));
        done(std::move(*state));
      });
}

struct Queues::Letters {
  std::string queue;
  Until until;
  std::uint64_t next;  // number of a message
  std::size_t missing;
  std::vector<BusMessage> found;
  Done<std::vector<BusMessage>> done;
};

// A stream that isn't there doesn't answer who wants a message of it, so it is asked for itself first.
void Queues::dead_letters(std::string queue, std::uint32_t limit, Done<std::vector<BusMessage>> done) {
  const Until end = until();
  ask("STREAM.INFO." + names_.dead_stream(queue), {}, end,
      [this, queue, limit, end, done = std::move(done)](const auto& said) mutable {
        if (!said) return done(std::unexpected(error_of(said.error(), queue)));
        const std::string_view state = member(*said, "state");
        next_letter(std::make_shared<Letters>(
            Letters{.queue = queue,
                    .until = end,
                    .next = number_member(state, "first_seq"),
                    .missing = std::min<std::size_t>(std::clamp<std::uint32_t>(limit, 1, kMaxDeadLetters),
                                                     number_member(state, "messages")),
                    .found = {},
                    .done = std::move(done)}));
      });
}

void Queues::next_letter(std::shared_ptr<Letters> letters) {
  if (letters->found.size() == letters->missing) return letters->done(std::move(letters->found));
  requests_.ask({.subject = "$JS.API.DIRECT.GET." + names_.dead_stream(letters->queue),
                 .body = JsonObject()
                             .add("seq", static_cast<std::int64_t>(letters->next))
                             .add("next_by_subj", names_.dead_subject(letters->queue))
                             .finish()},
                letters->until, [this, letters](const Result<Answer>& answer) {
                  if (!answer) return letters->done(std::unexpected(answer.error()));
                  if (status_of(answer->headers) != 0) return letters->done(std::move(letters->found));
                  letters->found.push_back(message_of(answer->headers, answer->body));
                  const std::string_view number = header(answer->headers, "Nats-Sequence");
                  letters->next = parse_number<std::uint64_t>(number).value_or(letters->next) + 1;
                  next_letter(letters);
                });
}

void Queues::remove(std::string queue, Done<void> done) {
  const Until end = until();
  auto removed = [queue, done = std::move(done)](const auto& said) mutable {
    if (!said && said.error().code != kNotFound) return done(std::unexpected(error_of(said.error(), queue)));
    done({});
  };
  ask("STREAM.DELETE." + names_.queue_stream(queue), {}, end,
      [this, queue, end, removed = std::move(removed)](const auto& said) mutable {
        if (!said && said.error().code != kNotFound) return removed(said);
        ask("STREAM.DELETE." + names_.dead_stream(queue), {}, end, std::move(removed));
      });
}

// A reason that would make it too large for NATS is left out.
void Queues::copy_to_dead_letters(std::string queue, std::uint64_t sequence, std::string reason,
                                  std::move_only_function<void(Copied)> done) {
  const Until end = until();
  requests_.ask(
      {.subject = "$JS.API.DIRECT.GET." + names_.queue_stream(queue),
       .body = JsonObject().add("seq", static_cast<std::int64_t>(sequence)).finish()},
      end, [this, queue, reason, end, done = std::move(done)](const Result<Answer>& answer) mutable {
        if (!answer) return done(Copied::failed);
        if (status_of(answer->headers) != 0) return done(Copied::gone);
        const BusMessage message = message_of(answer->headers, answer->body);
        std::string headers = dead_headers_of(message, reason);
        if (headers.size() + message.body.size() > link_.info().max_payload) headers = headers_of(message);
        requests_.ask(
            {.subject = names_.dead_subject(queue), .headers = std::move(headers), .body = message.body}, end,
            [done = std::move(done)](const Result<Answer>& kept) mutable {
              const bool well = kept && status_of(kept->headers) == 0 && !api_error(kept->body);
              done(well ? Copied::copied : Copied::failed);
            });
      });
}

}  // namespace ganglion::nats
