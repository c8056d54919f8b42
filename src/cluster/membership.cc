#include "cluster/membership.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json_text.h"
#include "cluster/messages.h"

namespace ganglion::cluster {
namespace {

constexpr const char* kTopic = "members";
constexpr const char* kType = "ganglion.presence.v1";

constexpr std::string_view kHello = "hello";  // answer at once
constexpr std::string_view kHere = "here";
constexpr std::string_view kGoodbye = "goodbye";

constexpr std::size_t kMaxSilent = 1'000;  // remembered; more begin anew

std::string text_of(const Member& member, std::string_view what) {
  JsonObject json;
  json.add("member", member.id).add("says", what);
  json.add("coordinator", member.coordinates).add("agents", member.performs);
  json.add("domains", join(member.domains)).add("takes", join(member.takes));
  return json.finish();
}

struct Word {
  Member member;
  std::string says;
};

// Nothing for what no member says.
std::optional<Word> read(std::string_view text) {
  Word word;
  JsonMembers members(text);
  while (const auto member = members.next()) {
    const auto string = [&] { return read_json_string(member->value).value_or(""); };
    if (member->name == "member") word.member.id = string();
    if (member->name == "says") word.says = string();
    if (member->name == "coordinator") word.member.coordinates = member->value == "true";
    if (member->name == "agents") word.member.performs = member->value == "true";
    if (member->name == "domains") word.member.domains = split(string());
    if (member->name == "takes") word.member.takes = split(string());
  }
  if (!members.intact() || word.member.id.empty()) return std::nullopt;
  return word;
}

}  // namespace

Membership::Membership(Bus& bus, Clock& clock, Member self, MembershipOptions options)
    : bus_(bus), clock_(clock), self_(std::move(self)), options_(options), live_{self_} {}

Membership::~Membership() {
  clock_.cancel(timer_);
}

void Membership::start(std::move_only_function<void(Result<void>)> done) {
  auto ready = [this, alive = std::weak_ptr(alive_), done = std::move(done)](Result<void> listening) mutable {
    if (alive.expired()) return;
    if (!listening) return done(std::move(listening));
    heard_self_ = clock_.now();
    say(kHello);
    timer_ = clock_.at(clock_.now() + options_.first_look, [this, done = std::move(done)]() mutable {
      started_ = true;
      look();
      done({});
      tick();
    });
  };
  const auto heard = [this, alive = std::weak_ptr(alive_)](const BusMessage& message) {
    if (!alive.expired()) hear(message);
  };
  const auto lost = [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) say(kHello);
  };
  bus_.listen(kTopic, heard, lost, std::move(ready));
}

void Membership::leave() {
  left_ = true;
  say(kGoodbye);
}

void Membership::takes(std::vector<std::string> agents) {
  if (agents == self_.takes) return;
  self_.takes = std::move(agents);
  if (!started_) return;
  say(kHere);
  look();
}

bool Membership::is_live(const std::string& id) const {
  return std::ranges::find(live_, id, &Member::id) != live_.end();
}

void Membership::say(std::string_view what) {
  bus_.broadcast(kTopic, {.id = {}, .type = kType, .reply_to = {}, .body = text_of(self_, what)});
}

void Membership::hear(const BusMessage& message) {
  if (message.type != kType) return;
  auto word = read(message.body);
  if (!word) return;
  if (word->member.id == self_.id) return heard_oneself();
  if (word->says == kGoodbye) {
    known_.erase(word->member.id);
  } else {
    const std::string id = word->member.id;
    known_.insert_or_assign(id, Known{std::move(word->member), clock_.now()});
    if (word->says == kHello && !left_) say(kHere);
  }
  if (started_) look();
}

void Membership::tick() {
  if (!left_) say(kHere);
  look();
  timer_ = clock_.at(clock_.now() + options_.beat, [this] { tick(); });
}

void Membership::heard_oneself() {
  const Timestamp now = clock_.now();
  const Duration missed = now - std::exchange(heard_self_, now);
  if (missed <= 2 * options_.beat) return;
  for (auto& [id, known] : known_) known.heard = std::min(now, known.heard + missed);
  if (missed > options_.silence / 2) came_back();
}

void Membership::came_back() {
  if (started_ && changed_) changed_({.joined = {}, .left = {}, .apart = true});
}

void Membership::look() {
  if (silent_.size() > kMaxSilent) silent_.clear();
  std::erase_if(known_, [&](const auto& entry) {
    const bool silent = heard_self_ - entry.second.heard > options_.silence;
    if (silent) silent_.insert(entry.first);
    return silent;
  });
  std::vector<Member> live = {self_};
  for (const auto& [id, known] : known_) live.push_back(known.member);
  std::ranges::sort(live, {}, &Member::id);
  if (live == live_) return;
  Change change;
  std::ranges::set_difference(live, live_, std::back_inserter(change.joined), {}, &Member::id, &Member::id);
  std::ranges::set_difference(live_, live, std::back_inserter(change.left), {}, &Member::id, &Member::id);
  for (const Member& member : change.joined) change.apart |= silent_.erase(member.id) > 0;
  live_ = std::move(live);
  if (changed_) changed_(change);
}

}  // namespace ganglion::cluster
