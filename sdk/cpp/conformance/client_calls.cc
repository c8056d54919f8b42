#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "conformance.h"
#include "ganglion/client.h"

namespace conformance {
namespace {

namespace json = boost::json;
using ganglion::Client;
using std::chrono::milliseconds;

// The arguments of a call; one that is absent or null is not given.
class With {
 public:
  explicit With(const json::object& values) : values_(values) {}

  const json::value* find(std::string_view name) const {
    const json::value* value = values_.if_contains(name);
    return value && !value->is_null() ? value : nullptr;
  }
  std::string text(std::string_view name) const { return std::string(values_.at(name).as_string()); }
  std::optional<std::string> maybe_text(std::string_view name) const {
    const json::value* value = find(name);
    return value ? std::optional<std::string>(std::string(value->as_string())) : std::nullopt;
  }
  std::optional<std::int64_t> number(std::string_view name) const {
    const json::value* value = find(name);
    return value ? std::optional(value->to_number<std::int64_t>()) : std::nullopt;
  }
  std::optional<milliseconds> time(std::string_view name) const {
    const auto count = number(name);
    return count ? std::optional(milliseconds(*count)) : std::nullopt;
  }
  bool flag(std::string_view name) const {
    const json::value* value = find(name);
    return value && value->as_bool();
  }
  json::value any(std::string_view name) const {
    const json::value* value = values_.if_contains(name);
    return value ? *value : json::value(nullptr);
  }

 private:
  const json::object& values_;
};

template <typename Items>
json::array raws_of(const Items& items) {
  json::array all;
  for (const auto& item : items) all.push_back(item.raw);
  return all;
}

json::array array_of(const std::vector<json::object>& items) {
  return json::array(items.begin(), items.end());
}

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64_of(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view part = bytes.substr(i, 3);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < part.size() ? static_cast<unsigned char>(part[k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += k <= part.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string bytes_of(std::string_view base64) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : base64) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255);
  }
  return bytes;
}

json::value start(Client& client, const With& with) {
  ganglion::StartOptions options;
  options.session_id = with.maybe_text("session_id");
  if (const auto priority = with.number("priority")) options.priority = static_cast<int>(*priority);
  if (const json::value* labels = with.find("labels")) {
    for (const auto& [name, value] : labels->as_object()) options.labels[name] = value.as_string();
  }
  options.idempotency_key = with.maybe_text("idempotency_key").value_or("");
  options.wait = with.time("wait_ms").value_or(milliseconds(0));
  const json::value* input = with.find("input");
  return client.start(with.text("workflow"), input ? *input : json::value(json::object()), options).raw;
}

json::value decide(Client& client, const With& with) {
  ganglion::Decision decision{
      .digest = with.text("digest"), .by = with.maybe_text("by"), .comment = with.maybe_text("comment")};
  if (const json::value* output = with.find("output")) decision.output = *output;
  return with.text("decision") == "approve" ? client.approve(with.text("id"), decision)
                                            : client.reject(with.text("id"), decision);
}

json::value publish(Client& client, const With& with) {
  ganglion::NewEvent event{.type = with.text("topic"), .data = with.any("data")};
  if (const auto source = with.maybe_text("source")) event.source = *source;
  event.id = with.maybe_text("id").value_or("");
  event.subject = with.maybe_text("subject");
  if (const auto version = with.number("version")) event.version = static_cast<int>(*version);
  return client.publish(event);
}

json::value put_state(Client& client, const With& with) {
  const ganglion::PutOptions options{.if_version = with.number("if_version"),
                                     .if_absent = with.flag("if_absent"),
                                     .ttl = with.time("ttl_ms")};
  const std::string key = with.text("key");
  return {{"key", key},
          {"version", client.put_state(with.text("session_id"), key, with.any("value"), options)}};
}

// Prints the events of a stream up to `limit`; {"count": N}.
template <typename E>
json::value stream(const json::value& id, const With& with,
                   const std::function<void(ganglion::OnEvent<E>)>& open) {
  const std::int64_t limit = with.number("limit").value_or(INT64_MAX);
  std::int64_t count = 0;
  open([&](const E& event) {
    print({{"id", id}, {"event", event.raw}});
    return ++count < limit;
  });
  return {{"count", count}};
}

using Call = std::function<json::value(Client&, const With&, const json::value& id)>;

const std::map<std::string, Call, std::less<>>& calls() {
  using W = const With&;
  using I = const json::value&;
  static const std::map<std::string, Call, std::less<>> all{
      {"start", [](Client& c, W w, I) { return start(c, w); }},
      {"get", [](Client& c, W w, I) -> json::value { return c.get(w.text("run_id")).raw; }},
      {"list",
       [](Client& c, W w, I) -> json::value {
         return raws_of(c.list({w.maybe_text("workflow"), w.maybe_text("status"), w.maybe_text("session_id"),
                                w.maybe_text("label"), w.maybe_text("parent")}));
       }},
      {"wait",
       [](Client& c, W w, I) -> json::value { return c.wait(w.text("run_id"), w.time("timeout_ms")).raw; }},
      {"cancel", [](Client& c, W w, I) -> json::value { return c.cancel(w.text("run_id")).raw; }},
      {"pause", [](Client& c, W w, I) -> json::value { return c.pause(w.text("run_id")).raw; }},
      {"resume", [](Client& c, W w, I) -> json::value { return c.resume(w.text("run_id")).raw; }},
      {"retry", [](Client& c, W w, I) -> json::value { return c.retry(w.text("run_id")).raw; }},
      {"fork",
       [](Client& c, W w, I) -> json::value {
         const json::value* input = w.find("input");
         return c.fork(w.text("run_id"), w.text("from_step"), input ? std::optional(*input) : std::nullopt)
             .raw;
       }},
      {"signal",
       [](Client& c, W w, I) -> json::value {
         return c
             .signal(w.text("run_id"), w.text("name"), w.any("data"),
                     w.maybe_text("idempotency_key").value_or(""))
             .raw;
       }},
      {"journal",
       [](Client& c, W w, I) -> json::value {
         return raws_of(c.journal(w.text("run_id"), w.number("after").value_or(0)));
       }},
      {"follow",
       [](Client& c, W w, I id) {
         return stream<ganglion::JournalEvent>(
             id, w, [&](const ganglion::OnEvent<ganglion::JournalEvent>& take) {
               c.follow(w.text("run_id"), take, w.number("after").value_or(0));
             });
       }},
      {"tax", [](Client& c, W w, I) -> json::value { return c.tax(w.text("run_id")); }},
      {"approvals",
       [](Client& c, W w, I) -> json::value { return array_of(c.approvals(w.maybe_text("run_id"))); }},
      {"decide", [](Client& c, W w, I) { return decide(c, w); }},
      {"dead_letters",
       [](Client& c, W w, I) -> json::value {
         return array_of(c.dead_letters(w.maybe_text("run_id"), w.maybe_text("kind")));
       }},
      {"requeue", [](Client& c, W w, I) -> json::value { return c.requeue(w.text("id")); }},
      {"delete_dead_letter",
       [](Client& c, W w, I) -> json::value {
         c.delete_dead_letter(w.text("id"));
         return nullptr;
       }},
      {"purge_dead_letters",
       [](Client& c, W, I) -> json::value { return {{"purged", c.purge_dead_letters()}}; }},
      {"publish", [](Client& c, W w, I) { return publish(c, w); }},
      {"events",
       [](Client& c, W w, I) -> json::value {
         return raws_of(
             c.events(w.maybe_text("topic"), static_cast<std::size_t>(w.number("limit").value_or(50))));
       }},
      {"tail",
       [](Client& c, W w, I id) {
         return stream<ganglion::Event>(id, w, [&](const ganglion::OnEvent<ganglion::Event>& take) {
           c.tail(w.maybe_text("topic"), take, w.number("after"));
         });
       }},
      {"state_get",
       [](Client& c, W w, I) -> json::value {
         const auto found = c.get_state(w.text("session_id"), w.text("key"));
         if (!found) return nullptr;
         return {{"value", found->value}, {"version", found->version}};
       }},
      {"state_put", [](Client& c, W w, I) { return put_state(c, w); }},
      {"state_delete",
       [](Client& c, W w, I) -> json::value {
         c.delete_state(w.text("session_id"), w.text("key"), w.number("if_version"));
         return nullptr;
       }},
      {"state_snapshot",
       [](Client& c, W w, I) -> json::value {
         return c.snapshot(w.text("session_id"), w.number("version"));
       }},
      {"session", [](Client& c, W w, I) -> json::value { return c.session(w.text("session_id")); }},
      {"blob_put", [](Client& c, W w, I) -> json::value { return c.put_blob(bytes_of(w.text("base64"))); }},
      {"blob_get",
       [](Client& c, W w, I) -> json::value { return {{"base64", base64_of(c.get_blob(w.any("ref")))}}; }},
      {"project", [](Client& c, W, I) -> json::value { return {{"source", c.project()}}; }},
      {"put_project", [](Client& c, W w, I) -> json::value { return c.put_project(w.text("source")); }},
  };
  return all;
}

json::object error_of(const std::exception& error) {
  if (const auto* problem = dynamic_cast<const ganglion::Problem*>(&error)) {
    json::value errors = json::array();
    if (problem->body().is_object()) {
      if (const json::value* listed = problem->body().as_object().if_contains("errors")) errors = *listed;
    }
    return {{"kind", "problem"},
            {"status", problem->status()},
            {"code", problem->code()},
            {"detail", problem->detail()},
            {"errors", errors}};
  }
  const char* kind = dynamic_cast<const ganglion::Unavailable*>(&error)      ? "unavailable"
                     : dynamic_cast<const ganglion::RunNotFinished*>(&error) ? "timeout"
                     : dynamic_cast<const std::invalid_argument*>(&error)    ? "argument"
                                                                             : "other";
  return {{"kind", kind}, {"detail", error.what()}};
}

}  // namespace

int run_client() {
  Client client;
  while (const auto line = read_line()) {
    const json::value& id = line->at("id");
    static const json::object kNothing;
    const json::value* with = line->if_contains("with");
    json::object answer{{"id", id}};
    try {
      const auto call = calls().find(std::string_view(line->at("call").as_string()));
      if (call == calls().end()) throw std::runtime_error("no such call");
      answer["value"] =
          call->second(client, With(with && with->is_object() ? with->as_object() : kNothing), id);
    } catch (const std::exception& error) {
      answer["error"] = error_of(error);
    }
    print(answer);
  }
  return 0;
}

}  // namespace conformance
