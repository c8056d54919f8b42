#include "sim/user_scenario/people.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "base/json_text.h"
#include "core/ids.h"
#include "sim/scenario/arrivals.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

constexpr SimTime kRound{1'000'000};
constexpr const char* kList = "/v1/approvals?limit=200";

std::map<std::string_view, std::string_view> members_of(std::string_view object) {
  std::map<std::string_view, std::string_view> by_name;
  JsonMembers members(object);
  while (const auto member = members.next()) by_name.emplace(member->name, member->value);
  return by_name;
}

std::string text(std::string_view json) {
  return read_json_string(json).value_or("");
}

std::vector<std::string> texts(std::string_view list) {
  std::vector<std::string> all;
  const json::value parsed = json::parse(list);
  if (!parsed.is_array()) return all;
  for (const json::value& one : parsed.as_array()) all.emplace_back(one.as_string());
  return all;
}

template <typename List>
bool has(const List& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

}  // namespace

const scenario::Person* who_decides(const std::vector<scenario::Person>& people, const std::string& step,
                                    const std::vector<std::string>& by) {
  for (const scenario::Person& person : people) {
    if (!person.steps.empty() && !has(person.steps, step)) continue;
    if (by.empty() || has(by, person.by)) return &person;
  }
  return nullptr;
}

People::People(World& world, const std::vector<scenario::Person>& people, const RunNames& names,
               History& history)
    : Program(world, "people"),
      people_(people),
      names_(names),
      history_(history),
      draws_(scenario::Draws(world.fate().seed()).at("people")) {}

void People::start() {
  if (!people_.empty()) look();
}

void People::look() {
  look_at_page(kList);
  later(kRound, [this] { look(); });
}

void People::look_at_page(const std::string& target) {
  ask({"GET", target}, [this](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 200) return;
    const auto page = members_of(answer->body);
    // Values stay text: what was shown is what is decided about.
    const json::value items = json::parse(page.at("items"));
    for (const json::value& item : items.as_array()) found(json::serialize(item));
    const std::string_view next = page.at("next_cursor");
    if (next != "null") look_at_page(std::string(kList) + "&cursor=" + text(next));
  });
}

void People::found(std::string_view item) {
  const auto members = members_of(item);
  Asked asked{.id = text(members.at("id")),
              .digest = text(members.at("digest")),
              .step = text(members.at("step")),
              .show = std::string(members.at("show")),
              .is_task = text(members.at("kind")) == "task"};
  if (!seen_.insert(asked.id).second) return;
  const scenario::Person* person = who_decides(people_, asked.step, texts(members.at("by")));
  if (person == nullptr) return;
  const auto token = AttemptToken::parse_path(asked.id);
  if (!token) return world_.violated("an approval has the id " + asked.id);
  asked.attempt = token->attempt.value();
  asked.name = names_.of(token->run) + "/" + asked.step;
  if (members.at("item") != "null") asked.name += "[" + std::string(members.at("item")) + "]";
  const Duration after = sample(person->after, draws_.at(asked.name, asked.attempt).word("after"));
  later(after, [this, person, asked = std::move(asked)] { decide(*person, asked); });
}

void People::decide(const scenario::Person& person, const Asked& asked) {
  const bool rejects =
      world_.fate().once(asked.name + ".reject", asked.attempt, 1 - person.approve.rate()).happens;
  const std::string decision = rejects ? "reject" : "approve";
  JsonObject body;
  body.add("decision", decision).add("digest", asked.digest).add("by", person.by);
  if (!person.comment.empty()) body.add("comment", person.comment);
  if (asked.is_task && !rejects && person.output) {
    const Duration at = std::chrono::floor<Duration>(world_.timeline().now());
    const auto output =
        make_output(person, asked.step, Payload(asked.show), at, draws_.at(asked.name, asked.attempt));
    if (!output) {
      return world_.violated("the scenario is wrong: what " + person.by + " answers to " + asked.step + ": " +
                             output.error().message);
    }
    body.add_raw("output", output->bytes());
  }
  world_.trace().add(person.by, decision, asked.name);
  insist(post("/v1/approvals/" + asked.id, body.finish()),
         [this, asked, decision](const HttpAnswer& answer) { answered(asked, decision, answer); });
}

// What came too late (the run was cancelled, the step's time was up), or was said before and not heard, is a
// conflict, and nothing is wrong about it.
void People::answered(const Asked& asked, const std::string& decision, const HttpAnswer& answer) {
  if (answer.status == 200) {
    world_.saw("an approval was decided");
    return history_.decided(asked.id, decision);
  }
  if (answer.status == 409 || answer.status == 404) return world_.saw("a decision came too late");
  world_.violated("the scenario is wrong: a decision about " + asked.step + " was refused with " +
                  std::to_string(answer.status) + ": " + answer.body);
}

}  // namespace ganglion::sim
